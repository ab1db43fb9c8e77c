import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import fastify, { type FastifyInstance } from 'fastify'
import { isLoopback } from './config-schema.ts'
import type { HandleTunnel, Log } from './services.ts'

/** The HTTP server: limits and deadlines for peers that nobody knows yet, headers for all answers, problems for all errors. */

/** A problem document (RFC 9457) of ours. */
export interface ProblemBody {
  type: string
  title: string
  status: number
  detail: string
  code: string
}

export const problemType = 'application/problem+json'

/** @param code one of the contract's `problems`, or `BAD_REQUEST`, `INTERNAL`, … */
export function problem(status: number, code: string, detail: string): ProblemBody {
  return { type: 'about:blank', title: titles[status] ?? 'Error', status, detail, code }
}

const titles: Readonly<Record<number, string>> = {
  400: 'Bad request',
  401: 'Not signed in',
  403: 'Not allowed',
  404: 'Not found',
  405: 'Method not allowed',
  409: 'Conflict',
  413: 'Too large',
  415: 'Unsupported media type',
  429: 'Too many requests',
  500: 'The gateway failed',
  502: 'Target unreachable',
  503: 'Unavailable',
}

export interface HttpServer {
  server: Server
  app: FastifyInstance
  /** Where it listens: `https://127.0.0.1:8443`. */
  address: string
  /** Serves what was registered on `app`. Until then every request is answered with 503. */
  open(tunnel: HandleTunnel): Promise<void>
  /** Lets requests in flight finish for a moment, then ends them. */
  close(): Promise<void>
}

export interface HttpOptions {
  listen: { host: string; port: number }
  tls: { cert: string; key: string } | undefined
  log: Log
}

const maxBody = 4 * 1024 * 1024
const closeGraceMs = 3000

/**
 * Binds the port first, because the addresses that are handed out depend on it.
 * @throws when the port is taken, in words
 */
export async function startHttp({ listen, tls, log }: HttpOptions): Promise<HttpServer> {
  let handler: RequestListener = unavailable('The gateway is starting.')
  const deadlines = { headersTimeout: 15_000, requestTimeout: 60_000, keepAliveTimeout: 30_000, maxHeaderSize: 16_384 }
  const onRequest: RequestListener = (request, response) => handler(request, response)
  const server =
    tls === undefined
      ? createServer(deadlines, onRequest)
      : withTls(() =>
          createTlsServer({ ...deadlines, ...tls, minVersion: 'TLSv1.2', handshakeTimeout: 15_000 }, onRequest),
        )
  await bind(server, listen)

  let route = handler
  const app = fastify({
    serverFactory: (serve) => {
      route = serve
      return server
    },
    bodyLimit: maxBody,
    routerOptions: { maxParamLength: 200 },
    trustProxy: false,
    exposeHeadRoutes: false,
    forceCloseConnections: false,
  })
  const secure = tls !== undefined
  app.addHook('onRequest', async (_request, reply) => {
    // On the raw answer, so that they hold for those parts that write it themselves.
    for (const [name, value] of Object.entries(securityHeaders(secure))) reply.raw.setHeader(name, value)
  })
  app.setNotFoundHandler((request, reply) =>
    reply
      .code(404)
      .type(problemType)
      .send(problem(404, 'NOT_FOUND', `There is nothing at ${request.url.split('?')[0]}.`)),
  )
  app.setErrorHandler((error, request, reply) => {
    const status = error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : 500
    if (status >= 400 && status < 500 && error instanceof Error) {
      return reply
        .code(status)
        .type(problemType)
        .send(problem(status, 'BAD_REQUEST', error.message))
    }
    log.error({ err: error, method: request.method, path: request.url.split('?')[0] }, 'a request failed')
    return reply
      .code(500)
      .type(problemType)
      .send(problem(500, 'INTERNAL', 'The gateway could not do this. The reason is in its log.'))
  })

  return {
    server,
    app,
    address: `${secure ? 'https' : 'http'}://${hostPort(listen.host, server.address())}`,
    async open(tunnel) {
      server.on('upgrade', (request, socket, head) => upgrade(request, socket, head, tunnel))
      await app.ready()
      handler = route
    },
    async close() {
      handler = unavailable('The gateway is stopping.')
      const ended = new Promise<void>((done) => server.close(() => done()))
      // A connection that was busy a moment ago may be kept alive by its client.
      const idle = setInterval(() => server.closeIdleConnections(), 20)
      const force = setTimeout(() => server.closeAllConnections(), closeGraceMs)
      await ended
      clearInterval(idle)
      clearTimeout(force)
      await app.close()
    },
  }
}

/** `host:port` as clients write it; a wildcard address becomes loopback, which it includes. */
export function hostPort(host: string, address: ReturnType<Server['address']>): string {
  const { port } = addressInfo(address)
  const shown = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host
  return `${shown.includes(':') && !shown.startsWith('[') ? `[${shown}]` : shown}:${port}`
}

/** The path and query as the client sent them, also below a mounted part. */
export function originalAddress(request: IncomingMessage & { originalUrl?: string }): string {
  return request.originalUrl ?? request.url ?? '/'
}

/** The peer's address, IPv4 in its usual form. */
export function peerAddress(request: IncomingMessage): string {
  return (request.socket.remoteAddress ?? '').replace(/^::ffff:/, '')
}

export function isLocalPeer(request: IncomingMessage): boolean {
  return isLoopback(peerAddress(request))
}

function addressInfo(address: ReturnType<Server['address']>): AddressInfo {
  if (typeof address !== 'object' || address === null) throw new Error('the server does not listen on a port')
  return address
}

function securityHeaders(secure: boolean): Record<string, string> {
  return {
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'referrer-policy': 'no-referrer',
    'cross-origin-resource-policy': 'same-origin',
    'cross-origin-opener-policy': 'same-origin',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    ...(secure ? { 'strict-transport-security': 'max-age=31536000' } : {}),
  }
}

function bind(server: Server, { host, port }: { host: string; port: number }): Promise<void> {
  return new Promise((done, fail) => {
    const failed = (error: NodeJS.ErrnoException) => {
      fail(
        error.code === 'EADDRINUSE'
          ? new Error(
              `Port ${port} on ${host} is in use. Stop what uses it, or set another port (0 picks a free one).`,
              {
                cause: error,
              },
            )
          : error,
      )
    }
    server.once('error', failed)
    server.listen(port, host, () => {
      server.off('error', failed)
      done()
    })
  })
}

function withTls<T>(create: () => T): T {
  try {
    return create()
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new Error(`tls: the certificate and key can't be used: ${reason}. Both are PEM, and belong together.`, {
      cause: error,
    })
  }
}

function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, tunnel: HandleTunnel): void {
  if ((request.url ?? '').split('?')[0] === '/api/v1/tunnel') {
    tunnel(request, socket, head)
    return
  }
  socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
}

function unavailable(detail: string): RequestListener {
  const body = JSON.stringify(problem(503, 'UNAVAILABLE', detail))
  return (_request, response) => {
    response.writeHead(503, { 'content-type': problemType, 'retry-after': '1', connection: 'close' }).end(body)
  }
}
