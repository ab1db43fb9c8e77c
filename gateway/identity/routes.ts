import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type Provider from 'oidc-provider'
import { z } from 'zod'
import { mfaAcr } from '../../shared/api/problem.ts'
import { originalAddress } from '../http.ts'
import { seldom } from '../seldom.ts'
import type { AuditLog, Log } from '../services.ts'
import { type Sealer, sha256 } from '../store/seal.ts'
import { type IdentityStore, SignInRefused } from './identities.ts'
import { createLimiter, type Limiter } from './limiter.ts'
import { errorPage, pageHeaders } from './pages.ts'
import { isMultiFactor, unknownTime } from './provider.ts'
import { type Pending, type Upstream, UpstreamError, type Wanted } from './upstream.ts'

/** `/oauth`: the OAuth server, and the way to the upstream provider and back. */
export interface OAuthRoutesOptions {
  provider: Provider
  upstream: Upstream
  identities: IdentityStore
  audit: AuditLog
  sealer: Sealer
  /** As clients reach the gateway, without a slash at the end. */
  publicUrl: string
  /** Told when somebody has signed in, with the groups that they have from now on. */
  signedIn(id: string): void
  log: Log
}

const PendingCookie = z.object({
  interaction: z.string(),
  state: z.string(),
  nonce: z.string(),
  verifier: z.string(),
  maxAge: z.number().optional(),
  expiresAt: z.number(),
})

/** Where the sign-in provider sends browsers back to; it has to allow this address. */
export const callbackPath = '/oauth/callback'

const pendingSeconds = 600
const cookieContext = 'cookie/sign-in'

/** Sign-ins that begin, and wrong secrets, codes and tokens, per address and minute. */
const startsPerMinute = 240
const failuresPerMinute = 30

export function registerOAuthRoutes(app: FastifyInstance, options: OAuthRoutesOptions): void {
  const { provider, upstream, identities, audit, sealer, publicUrl, log } = options
  const redirectUri = `${publicUrl}${callbackPath}`
  const secure = publicUrl.startsWith('https:')
  const starts = createLimiter(startsPerMinute, 60)
  const failures = createLimiter(failuresPerMinute, 60)
  const handle = provider.callback()
  const strangers = seldom({ info: (fields, message) => log.warn(fields, message) })

  provider.on('grant.error', (context, error) => {
    // How a device asks whether it is signed in yet, and a client for the nonce of its proof.
    if (['authorization_pending', 'slow_down', 'use_dpop_nonce'].includes(error.message)) return
    failures.count(context.ip)
    log.warn(
      { ip: context.ip, error: error.message, client: context.oidc?.client?.clientId },
      'a token request was refused',
    )
  })
  provider.on('code_verification.error', (context) => failures.count(context.ip))

  app.register(async (scope) => {
    // oidc-provider reads bodies itself.
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', (_request, _payload, done) => done(null))

    scope.get<{ Params: { uid: string } }>('/oauth/interaction/:uid', async (request, reply) => {
      try {
        const interaction = await provider.interactionDetails(request.raw, reply.raw)
        const { url, pending } = await upstream.start(redirectUri, wantedOf(interaction.params))
        const value = sealPending(sealer, interaction.uid, pending)
        reply.header('set-cookie', pendingCookie(pending.state, value, pendingSeconds, secure))
        return reply.header('cache-control', 'no-store').redirect(url.href, 303)
      } catch (error) {
        strangers.info({ err: error, ip: request.ip }, 'a sign-in could not begin')
        return showFailure(reply, error, log)
      }
    })

    scope.get(callbackPath, async (request, reply) => {
      const answer = new URL(request.url, publicUrl)
      const state = answer.searchParams.get('state') ?? ''
      const kept = readPending(sealer, request.headers.cookie, state)
      if (kept === undefined) {
        return showPage(reply, 400, {
          title: 'This sign-in can’t be continued',
          text: 'The answer from the sign-in provider does not belong to a sign-in that was started in this browser, or that one has expired. Nobody was signed in. Go back to Sallyport and sign in again.',
          detail: 'wrong state',
        })
      }
      reply.header('set-cookie', pendingCookie(state, '', 0, secure))
      const interaction = await provider.Interaction.find(kept.interaction)
      if (interaction === undefined) {
        return showPage(reply, 400, {
          title: 'This sign-in has expired',
          text: 'It took too long, or it was finished in another tab. Nobody was signed in here. Go back to Sallyport and sign in again.',
        })
      }
      const finish = async (result: Parameters<Provider['interactionResult']>[2]) => {
        interaction.result = result
        await interaction.save(Math.max(1, interaction.exp - Math.floor(Date.now() / 1000)))
        return reply.header('cache-control', 'no-store').redirect(interaction.returnTo, 303)
      }
      const from = { sourceIp: request.ip, client: String(interaction.params.client_id) }
      try {
        const { person, amr, authTime } = await upstream.finish(answer, kept)
        const principal = await identities.provision(person)
        options.signedIn(principal.id)
        const detail = { ...from, issuer: person.issuer, subject: person.subject, mfa: isMultiFactor(amr) }
        await audit.append({ actor: principal.id, action: 'sign-in', subject: principal.id, detail })
        const ts = authTime ?? unknownTime
        return await finish({ login: { accountId: principal.id, amr, ts, remember: false }, consent: {} })
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error)
        const refused = error instanceof SignInRefused || (error instanceof UpstreamError && error.kind === 'denied')
        log.warn({ err: error, ...from }, 'a sign-in failed')
        await audit.append({
          actor: 'unknown',
          action: 'sign-in-refused',
          subject: from.client,
          detail: { ...from, reason },
        })
        // The client hears of it, so that it can say why instead of waiting.
        if (refused) return finish({ error: 'access_denied', error_description: asciiOnly(reason) })
        return showFailure(reply, error, log)
      }
    })

    scope.all('/oauth/*', async (request, reply) => {
      const wait = limited(request, starts, failures)
      if (wait > 0) {
        return reply
          .code(429)
          .header('retry-after', String(wait))
          .send({
            error: 'temporarily_unavailable',
            error_description: `Too many attempts from this address. Try again in ${wait} seconds.`,
          })
      }
      reply.hijack()
      mount(request, publicUrl)
      for (const [name, value] of Object.entries(pageHeaders)) reply.raw.setHeader(name, value)
      await handle(request.raw, reply.raw)
    })
  })
}

/** What the client wants of the sign-in, for the provider that really does it. */
function wantedOf({ prompt, max_age, acr_values, login_hint }: Readonly<Record<string, unknown>>): Wanted {
  const words = (value: unknown) => (typeof value === 'string' ? value.split(' ') : [])
  const maxAge = max_age === undefined ? undefined : Number(max_age)
  return {
    ...(words(prompt).includes('login') ? { prompt: 'login' } : {}),
    ...(maxAge !== undefined && Number.isSafeInteger(maxAge) && maxAge >= 0 ? { maxAge } : {}),
    ...(words(acr_values).includes(mfaAcr) ? { mfa: true } : {}),
    ...(typeof login_hint === 'string' ? { loginHint: login_hint.slice(0, 200) } : {}),
  }
}

/** oidc-provider sees its own path and the public address, whatever the client put into Host or Forwarded headers. */
function mount(request: FastifyRequest, publicUrl: string): void {
  const { protocol, host } = new URL(publicUrl)
  const raw: typeof request.raw & { originalUrl?: string } = request.raw
  raw.originalUrl = raw.url ?? '/'
  raw.url = raw.originalUrl.slice('/oauth'.length)
  raw.headers.host = host
  raw.headers['x-forwarded-host'] = host
  raw.headers['x-forwarded-proto'] = protocol.slice(0, -1)
  raw.headers['x-forwarded-for'] = request.ip
  // No page of another origin talks to this server.
  delete raw.headers.origin
}

function limited(request: FastifyRequest, starts: Limiter, failures: Limiter): number {
  const path = originalAddress(request.raw).split('?')[0]
  const isStart = path === '/oauth/auth' || path === '/oauth/device/auth'
  if (isStart) {
    const wait = starts.wait(request.ip)
    starts.count(request.ip)
    return wait
  }
  return request.method === 'POST' ? failures.wait(request.ip) : 0
}

function sealPending(sealer: Sealer, interaction: string, pending: Pending): string {
  const value = { interaction, ...pending, expiresAt: Date.now() + pendingSeconds * 1000 }
  return sealer.seal(JSON.stringify(value), cookieContext).toString('base64url')
}

/** What this browser kept of the sign-in with that state; undefined when it has none, or one that was not made here. */
function readPending(sealer: Sealer, cookies: string | undefined, state: string) {
  if (state === '') return undefined
  const name = cookieName(state)
  const sealed = (cookies ?? '')
    .split(';')
    .map((cookie) => cookie.trim())
    .find((cookie) => cookie.startsWith(`${name}=`))
    ?.slice(name.length + 1)
  if (sealed === undefined || sealed === '') return undefined
  let text: string
  try {
    text = sealer.open(Buffer.from(sealed, 'base64url'), cookieContext)
  } catch {
    // Changed, or made by another gateway: the same to us as no cookie at all.
    return undefined
  }
  const pending = PendingCookie.parse(JSON.parse(text))
  return pending.state === state && pending.expiresAt > Date.now() ? pending : undefined
}

/** One cookie per sign-in, so that two tabs do not undo each other. */
function cookieName(state: string): string {
  return `sallyport_up_${sha256(state).slice(0, 16)}`
}

function pendingCookie(state: string, value: string, maxAge: number, secure: boolean): string {
  const flags = `Path=${callbackPath}; Max-Age=${maxAge}; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`
  return `${cookieName(state)}=${value}; ${flags}`
}

function showFailure(reply: FastifyReply, error: unknown, log: Log): FastifyReply {
  if (error instanceof UpstreamError) {
    return showPage(reply, error.kind === 'unreachable' ? 502 : 400, { title: error.title, text: error.message })
  }
  if (error instanceof Error && error.name === 'SessionNotFound') {
    return showPage(reply, 400, {
      title: 'This sign-in has expired',
      text: 'It took too long, was finished already, or was started in another browser. Nobody was signed in. Go back to Sallyport and sign in again.',
    })
  }
  log.error({ err: error }, 'a sign-in failed for a reason of our own')
  return showPage(reply, 500, {
    title: 'The gateway could not finish the sign-in',
    text: 'Nobody was signed in. Try again; if it happens again, tell whoever runs this gateway.',
  })
}

function showPage(reply: FastifyReply, status: number, words: Parameters<typeof errorPage>[0]): FastifyReply {
  return reply.code(status).headers(pageHeaders).type('text/html; charset=utf-8').send(errorPage(words))
}

/** RFC 6749, 4.1.2.1: what an error_description may hold. */
function asciiOnly(text: string): string {
  return text.replaceAll(/[’‘]/g, "'").replaceAll(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, '?')
}
