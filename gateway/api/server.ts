import type { AnyContractRouter } from '@orpc/contract'
import { OpenAPIGenerator } from '@orpc/openapi'
import { OpenAPIHandler } from '@orpc/openapi/node'
import { ORPCError, type Router } from '@orpc/server'
import { BodyLimitPlugin } from '@orpc/server/node'
import { ZodToJsonSchemaConverter } from '@orpc/zod/zod4'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { apiContract, deviceHeader } from '../../shared/api/contract.ts'
import { mfaAcr, ProblemDocument, problemMediaType } from '../../shared/api/problem.ts'
import { isLocalPeer, originalAddress, peerAddress, problem } from '../http.ts'
import { type TokenVerifier, Unauthenticated } from '../identity/tokens.ts'
import type { Metrics } from '../metrics.ts'
import type { Log } from '../services.ts'
import type { ApiContext, Caller } from './context.ts'
import { problemFor } from './problems.ts'
import { Turns } from './turns.ts'

export interface ApiRoutesOptions {
  router: Router<AnyContractRouter, ApiContext>
  tokens: TokenVerifier
  metrics: Metrics
  /** As clients reach the gateway, without a slash at the end. */
  publicUrl: string
  name: string
  version: string
  /** Why the gateway can't serve right now; undefined when it can. */
  unready(): Promise<string | undefined>
  log: Log
}

const prefix = '/api/v1'
const maxBody = 4 * 1024 * 1024
/** Requests of one person, or machine: so many are worked on at once. Streams of events have a bound of their own. */
const callsAtOnce = 24
const callsWaiting = 500

/** `/api/v1` from the contract, its description, and what tells others about this gateway. */
export async function registerApiRoutes(app: FastifyInstance, options: ApiRoutesOptions): Promise<void> {
  const { router, tokens, metrics, publicUrl, name, version, log } = options
  const document = JSON.stringify(await describe(publicUrl, version))
  const turns = new Turns({ atOnce: callsAtOnce, waiting: callsWaiting })
  const requests = metrics.counter('sallyport_api_requests_total', 'API requests by status')

  const handler = new OpenAPIHandler(router, {
    plugins: [new BodyLimitPlugin({ maxBodySize: maxBody })],
    customErrorResponseBodyEncoder: (error) => ProblemDocument.safeParse(error.data).data ?? problemFor(error, log),
    // Around handlers and the checks of what goes in and out; what can't be read at all never gets here.
    clientInterceptors: [
      async ({ path, next }) => {
        try {
          return await next()
        } catch (error) {
          const body = problemFor(error, log, path.join('.'))
          throw new ORPCError(body.code, { status: body.status, message: body.detail, data: body, cause: error })
        }
      },
    ],
    rootInterceptors: [
      async ({ next }) => {
        const result = await next()
        if (!result.matched || result.response.status < 400) return result
        const { status, body } = result.response
        const challenge = challengeOf(body)
        const headers = {
          'content-type': problemMediaType,
          ...(challenge === undefined ? {} : { 'www-authenticate': challenge }),
        }
        // A stream keeps the media type that is set here; an object would be sent as plain JSON.
        return { matched: true, response: { status, headers, body: stream(body) } }
      },
    ],
  })

  app.get('/healthz', async (_request, reply) => reply.type('text/plain').send('ok\n'))
  app.get('/readyz', async (_request, reply) => {
    const why = await options.unready()
    return why === undefined
      ? reply.type('text/plain').send('ok\n')
      : reply
          .code(503)
          .type(problemMediaType)
          .send(problem(503, 'UNAVAILABLE', why))
  })
  app.get('/metrics', async (request, reply) => {
    // Numbers about who works when are not for everybody: the own machine, or someone signed in.
    if (!isLocalPeer(request.raw)) {
      const caller = await authenticate(request, reply, tokens, publicUrl)
      if (caller === undefined) return reply
    }
    return reply.type('text/plain; version=0.0.4').send(await metrics.render())
  })
  app.get('/.well-known/sallyport', async () => ({
    name,
    version,
    issuer: `${publicUrl}/oauth`,
    api: `${publicUrl}${prefix}`,
  }))
  app.get('/api/openapi.json', async (_request, reply) => reply.type('application/json').send(document))

  await app.register(async (scope) => {
    // The handler reads bodies itself.
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', (_request, _payload, done) => done(null))
    scope.all(`${prefix}/*`, async (request, reply) => {
      const caller = await authenticate(request, reply, tokens, publicUrl)
      if (caller === undefined) return reply
      reply.hijack()
      reply.raw.setHeader('cache-control', 'no-store')
      const gone = new AbortController()
      reply.raw.once('close', () => {
        gone.abort()
        requests.add({ status: String(reply.raw.statusCode) })
      })
      const path = request.url.split('?')[0]
      const handle = () => handler.handle(request.raw, reply.raw, { prefix, context: { caller } })
      const handled = path === `${prefix}/events` ? handle() : turns.take(caller.principal.id, gone.signal, handle)
      const outcome = await handled.catch((error: unknown) => {
        // Whose client left before its turn has nobody to be told.
        if (!gone.signal.aborted) throw error
        return { matched: true }
      })
      if (outcome === undefined) {
        const message = `${callsAtOnce + callsWaiting} requests of yours wait for their turn already. Ask again in a moment.`
        send(reply, problem(429, 'TOO_MANY_REQUESTS', message))
      } else if (!outcome.matched) {
        send(reply, problem(404, 'NOT_FOUND', `The API has nothing at ${request.method} ${path}.`))
      }
      return reply
    })
  })
}

async function authenticate(
  request: FastifyRequest,
  reply: FastifyReply,
  tokens: TokenVerifier,
  publicUrl: string,
): Promise<Caller | undefined> {
  const { authorization, dpop } = request.headers
  try {
    const caller = await tokens.authenticate({
      method: request.method,
      url: publicUrl + originalAddress(request.raw),
      authorization,
      dpop: typeof dpop === 'string' ? dpop : undefined,
      sourceIp: peerAddress(request.raw),
    })
    const device = deviceOf(request.headers[deviceHeader])
    return device === undefined ? caller : { ...caller, device }
  } catch (error) {
    if (!(error instanceof Unauthenticated)) throw error
    reply
      .code(401)
      .header('www-authenticate', error.challenge)
      .type(problemMediaType)
      .send(problem(401, 'NOT_SIGNED_IN', error.message))
    return undefined
  }
}

const longestDevice = 64

/** What a client calls its computer, as people may be shown it; undefined when it says nothing that can be read. */
function deviceOf(header: string | string[] | undefined): string | undefined {
  if (typeof header !== 'string') return undefined
  try {
    const name = decodeURIComponent(header)
      .replaceAll(/[\p{C}\s]+/gu, ' ')
      .trim()
    return name === '' ? undefined : [...name].slice(0, longestDevice).join('')
  } catch {
    // Not percent-encoded: a client of somebody else's.
    return undefined
  }
}

function send(reply: FastifyReply, body: { status: number }): void {
  reply.raw.writeHead(body.status, { 'content-type': problemMediaType }).end(JSON.stringify(body))
}

/** RFC 9470: how the client has to sign in again for this. */
function challengeOf(body: unknown): string | undefined {
  const { stepUp } = ProblemDocument.safeParse(body).data ?? {}
  if (stepUp === undefined) return undefined
  const age = stepUp.maxAgeSeconds === undefined ? '' : `, max_age="${stepUp.maxAgeSeconds}"`
  return `DPoP error="insufficient_user_authentication", acr_values="${mfaAcr}"${age}`
}

function stream(body: unknown): ReadableStream<Uint8Array> {
  return ReadableStream.from([Buffer.from(JSON.stringify(body))])
}

/** The OpenAPI document of the contract. */
function describe(publicUrl: string, version: string): Promise<object> {
  const generator = new OpenAPIGenerator({ schemaConverters: [new ZodToJsonSchemaConverter()] })
  const signIn = {
    type: 'openIdConnect',
    openIdConnectUrl: `${publicUrl}/oauth/.well-known/openid-configuration`,
  } as const
  return generator.generate(apiContract, {
    info: { title: 'Sallyport gateway', version },
    servers: [{ url: `${publicUrl}${prefix}` }],
    components: { securitySchemes: { signIn } },
    security: [{ signIn: [] }],
  })
}
