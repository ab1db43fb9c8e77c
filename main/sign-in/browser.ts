import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { calculateJwkThumbprint, exportJWK } from 'jose'
import * as oauth from 'openid-client'
import type { Prover } from '../gateway/proof.ts'
import { fail } from '../problem.ts'
import { dpop, scope, signInProblem, type Tokens, tokensOf } from './oauth.ts'
import { answerPage } from './page.ts'

/** A sign-in that waits for a person. `done` rejects with a ProblemError. */
export interface PendingSignIn {
  /** To be opened in the browser; may be opened again. */
  url: string
  /** Device flow: what to type there. */
  code?: string
  expiresAt: Date
  done: Promise<Tokens>
}

const waitMs = 10 * 60_000

/**
 * `more`: what else is wanted of the sign-in (`max_age`, `acr_values`).
 * Authorization code with PKCE (RFC 8252): the browser comes back to a listener on 127.0.0.1 that lives for this sign-in only.
 * An answer with another state is turned away and the wait goes on; a wrong nonce or a refused code ends it.
 */
export async function browserSignIn(
  server: oauth.Configuration,
  prover: Prover,
  signal?: AbortSignal,
  more: Readonly<Record<string, string>> = {},
): Promise<PendingSignIn> {
  const verifier = oauth.randomPKCECodeVerifier()
  const state = oauth.randomState()
  const nonce = oauth.randomNonce()
  const listener = createServer()
  const port = await listen(listener)
  const redirect = `http://127.0.0.1:${port}/callback`
  const url = oauth.buildAuthorizationUrl(server, {
    ...more,
    scope,
    state,
    nonce,
    redirect_uri: redirect,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    // The code is worth something to the holder of our key alone.
    dpop_jkt: await calculateJwkThumbprint(await exportJWK(prover.key.publicKey)),
  })
  const exchange = async (callback: URL): Promise<Tokens> => {
    const checks = {
      pkceCodeVerifier: verifier,
      expectedState: state,
      expectedNonce: nonce,
      idTokenExpected: true,
      ...(more.max_age === undefined ? {} : { maxAge: Number(more.max_age) }),
    }
    return tokensOf(
      await oauth.authorizationCodeGrant(server, callback, checks, undefined, { DPoP: dpop(server, prover) }),
    )
  }
  const done = answer(listener, redirect, state, exchange, signal)
  return { url: url.href, expiresAt: new Date(Date.now() + waitMs), done }
}

function listen(listener: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    listener.once('error', reject)
    listener.listen(0, '127.0.0.1', () => {
      const address = listener.address()
      if (address === null || typeof address === 'string') reject(fail('failed', 'No local port could be opened.'))
      else resolve(address.port)
    })
  })
}

function answer(
  listener: Server,
  redirect: string,
  state: string,
  exchange: (callback: URL) => Promise<Tokens>,
  signal: AbortSignal | undefined,
): Promise<Tokens> {
  const { promise, resolve, reject } = Promise.withResolvers<Tokens>()
  /** Nothing is taken any more. */
  let over = false
  const onRequest = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const callback = URL.parse(request.url ?? '', redirect)
    if (
      request.method !== 'GET' ||
      callback?.pathname !== '/callback' ||
      request.headers.host !== new URL(redirect).host
    ) {
      answerPage(response, 404, 'Nothing here', 'This address only takes the answer of a sign-in.')
      return
    }
    if (over) {
      answerPage(
        response,
        400,
        'This sign-in is over',
        'It was finished, cancelled or took too long. Nobody was signed in here. Go on in Sallyport.',
      )
      return
    }
    if (callback.searchParams.get('state') !== state) {
      answerPage(
        response,
        400,
        'Not this sign-in',
        'This answer does not belong to the sign-in that is waiting. Nothing was signed in. Start again from Sallyport.',
      )
      return
    }
    over = true
    try {
      const tokens = await exchange(callback)
      answerPage(response, 200, 'You are signed in', 'Close this tab and go back to Sallyport.')
      resolve(tokens)
    } catch (error) {
      const problem = signInProblem(error)
      answerPage(response, 400, 'Not signed in', `${problem.message} Start again from Sallyport.`)
      reject(problem)
    }
  }
  listener.on('request', (request, response) => {
    onRequest(request, response).catch((error: unknown) => {
      response.destroy()
      reject(signInProblem(error))
    })
  })
  const late = setTimeout(() => {
    reject(fail('sign-in-failed', 'Nobody finished the sign-in within 10 minutes.', { action: 'sign-in' }))
  }, waitMs)
  const abort = (): void => reject(fail('sign-in-failed', 'The sign-in was cancelled.', { action: 'sign-in' }))
  signal?.addEventListener('abort', abort, { once: true })
  if (signal?.aborted) abort()
  return promise.finally(() => {
    clearTimeout(late)
    signal?.removeEventListener('abort', abort)
    // Who finishes late, or looks at the tab again, is told so for a while, and not that nothing answers there.
    over = true
    listener.unref()
    setTimeout(() => listener.close(), waitMs).unref()
  })
}
