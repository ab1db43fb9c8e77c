import { hostname } from 'node:os'
import { createORPCClient, ORPCError } from '@orpc/client'
import type { ContractRouterClient } from '@orpc/contract'
import { OpenAPILink } from '@orpc/openapi-client/fetch'
import { apiContract, deviceHeader, problems } from '../../shared/api/contract.ts'
import { ProblemDocument, problemMediaType, StepUp } from '../../shared/api/problem.ts'
import type { Problem } from '../../shared/rpc/contract.ts'
import { fail, messageOf, ProblemError } from '../problem.ts'
import type { Prover } from './proof.ts'
import { unreachable } from './reach.ts'

export type ApiClient = ContractRouterClient<typeof apiContract>

/** An access token with the way to send it: bound to a key (DPoP) or plain (Bearer, machines only). */
export interface Access {
  token: string
  prover?: Prover
}

/** Gives access tokens. `stale` is one that the gateway has refused. Throws `not-signed-in` when there is none to give. */
export interface Credentials {
  access(stale?: string): Promise<Access>
}

/** The gateway's API, with this sign-in's tokens. Errors are ProblemErrors, see `apiProblem`. */
export function createApiClient(api: string, credentials: Credentials): ApiClient {
  const link = new OpenAPILink(apiContract, {
    url: api,
    headers: () => ({ [deviceHeader]: encodeURIComponent(hostname()) }),
    fetch: async (request, init) => readable(await authorizedFetch(request, init, credentials)),
    customErrorResponseBodyDecoder: (body) => problemDocument(body),
  })
  return createORPCClient(link)
}

/** A request with token and proof. Tries again once for a nonce and once for a fresh token; nothing else is sent twice. */
export async function authorizedFetch(
  request: Request,
  init: RequestInit,
  credentials: Credentials,
): Promise<Response> {
  const body = request.body === null ? undefined : await request.arrayBuffer()
  const send = async (access: Access): Promise<Response> => {
    const headers = new Headers(request.headers)
    headers.set('authorization', `${access.prover === undefined ? 'Bearer' : 'DPoP'} ${access.token}`)
    if (access.prover !== undefined) {
      headers.set('dpop', await access.prover.proof(request.method, request.url, access.token))
    }
    const { method, url, signal } = request
    try {
      return await fetch(url, {
        ...init,
        method,
        headers,
        signal,
        redirect: 'error',
        ...(body === undefined ? {} : { body }),
      })
    } catch (error) {
      if (signal.aborted) throw error
      throw unreachable(error)
    }
  }
  let access = await credentials.access()
  let response = await send(access)
  if (learnt(access, request, response) && response.status === 401) {
    await response.body?.cancel()
    response = await send(access)
    learnt(access, request, response)
  }
  // A fresher token of the same sign-in is no better one (RFC 9470).
  if (response.status !== 401 || wantsStepUp(response)) return response
  await response.body?.cancel()
  access = await credentials.access(access.token)
  response = await send(access)
  learnt(access, request, response)
  return response
}

function wantsStepUp(response: Response): boolean {
  return response.headers.get('www-authenticate')?.includes('error="insufficient_user_authentication"') ?? false
}

function learnt(access: Access, request: Request, response: Response): boolean {
  return access.prover?.learn(request.url, response.headers.get('dpop-nonce')) ?? false
}

/** oRPC reads only `application/json` as JSON; a problem document is that, by another name. */
function readable(response: Response): Response {
  if (!response.headers.get('content-type')?.startsWith(problemMediaType)) return response
  const headers = new Headers(response.headers)
  headers.set('content-type', 'application/json')
  const { status, statusText } = response
  return new Response(response.body, { status, statusText, headers })
}

/** A problem document as an error; undefined leaves what is none to oRPC. */
function problemDocument(body: unknown): ORPCError<string, unknown> | undefined {
  const parsed = ProblemDocument.safeParse(body)
  if (!parsed.success) return undefined
  const { code, status, detail, stepUp } = parsed.data
  return new ORPCError(code, { status, message: detail, defined: Object.hasOwn(problems, code), data: stepUp })
}

const problemOf = new Map<string, Pick<Problem, 'code' | 'action'>>([
  ['NOT_SIGNED_IN', { code: 'not-signed-in', action: 'sign-in' }],
  ['FORBIDDEN', { code: 'forbidden', action: 'none' }],
  ['NOT_FOUND', { code: 'not-found', action: 'none' }],
  ['CONFLICT', { code: 'conflict', action: 'none' }],
  ['BAD_REQUEST', { code: 'bad-input', action: 'none' }],
  ['UNREACHABLE', { code: 'target-unreachable', action: 'retry' }],
  ['UNAVAILABLE', { code: 'gateway-unreachable', action: 'retry' }],
  ['TOO_MANY_REQUESTS', { code: 'failed', action: 'retry' }],
])

/** What an API call threw, as a ProblemError. */
export function apiProblem(error: unknown): ProblemError {
  if (error instanceof ProblemError) return error
  if (error instanceof ORPCError) {
    if (error.code === 'STEP_UP') {
      const stepUp = StepUp.catch({}).parse(error.data)
      return fail('step-up', error.message, {
        hint: 'Sign in again with a second factor.',
        action: 'step-up',
        stepUp,
        cause: error,
      })
    }
    const { code, action } = problemOf.get(error.code) ?? { code: 'failed' as const, action: 'none' as const }
    return fail(code, error.message, { action, cause: error })
  }
  return fail('failed', messageOf(error), { cause: error })
}

/** Runs an API call; what it throws is a ProblemError. */
export async function asked<T>(call: Promise<T>): Promise<T> {
  try {
    return await call
  } catch (error) {
    throw apiProblem(error)
  }
}
