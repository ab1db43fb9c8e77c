import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import { problem, problemType } from './http.ts'
import { seldom } from './seldom.ts'
import type { HandleTunnel, Log } from './services.ts'
import { type AdmissionDeps, admit } from './sessions/admission.ts'
import { rdpCredential } from './sessions/rdp.ts'
import type { Sessions } from './sessions/registry.ts'
import type { Redeemed, TicketAdmission, Tokens } from './tokens.ts'
import { TunnelStream } from './tunnel-stream.ts'

/** Close codes of the tunnel, beside 1000 for an end that is nobody's fault. The reason is in words. */
export const closeCodes = {
  /** The session was ended: killed, its grant over, the gateway stopping. */
  ended: 4000,
  /** The ticket lets nobody in (unknown, used, expired). */
  ticket: 4401,
  /** Policy does not let them in (any more). */
  refused: 4403,
  /** The gateway could not serve it. */
  failed: 4500,
} as const

/** A message may be longer than this only from a client that is not ours. */
const maxMessage = 16 * 1024 * 1024
export interface TunnelDeps extends AdmissionDeps {
  tokens: Tokens
  sessions: Sessions
  log: Log
}

/** The WebSocket upgrade of `/api/v1/tunnel`: a ticket in `sallyport-ticket`, once, then the native protocol's bytes. */
export function createTunnel(deps: TunnelDeps): { handle: HandleTunnel; close(): void } {
  const server = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: maxMessage })
  const { log } = deps
  const broken = seldom(log)
  return {
    handle(request, socket, head) {
      const ticket = request.headers['sallyport-ticket']
      if (typeof ticket !== 'string' || ticket === '') {
        refuseUpgrade(
          socket,
          'The tunnel needs a ticket in the header sallyport-ticket. POST /api/v1/sessions gives one.',
        )
        return
      }
      socket.on('error', (error) => broken.info({ err: error }, 'a tunnel broke before it was open'))
      server.handleUpgrade(request, socket, head, (ws) => {
        noDelay(request)
        // Nothing is read before the ticket is known to be good.
        ws.pause()
        enter(deps, broken, ws, ticket).catch((error: unknown) => {
          log.error({ err: error }, 'a tunnel could not be served')
          ws.close(closeCodes.failed, 'The gateway could not open this session. The reason is in its log.')
          ws.resume()
        })
      })
    },
    close: () => {
      for (const ws of server.clients) ws.terminate()
      server.close()
    },
  }
}

async function enter(deps: TunnelDeps, broken: Pick<Log, 'info'>, ws: WebSocket, ticket: string): Promise<void> {
  const { tokens, sessions } = deps
  const stream = new TunnelStream(ws)
  stream.on('error', (error) => broken.info({ err: error }, 'a tunnel broke'))
  const redeemed = await tokens.redeemTicket(ticket)
  if (!redeemed.ok) return refuse(stream, closeCodes.ticket, ticketWords(redeemed))
  const { principal, connection, sessionId, annotations, door, purpose, sourceIp, mfa, device, accessTokenId } =
    redeemed.admission
  const context = { sourceIp, mfa }
  const admission = admit(deps, { principal, context }, connection)
  if (!admission.ok) return refuse(stream, closeCodes.refused, `${admission.message} ${admission.hint}`)
  if (stream.destroyed) return
  const full = sessions.room(connection, principal.id)
  if (full !== undefined) return refuse(stream, closeCodes.refused, `${full.message} ${full.hint}`)
  const { ref, target } = admission.connection
  await sessions.open({
    spec: {
      sessionId,
      principal,
      connection: ref,
      target,
      annotations,
      context,
      grants: admission.grants,
      ...(purpose === 'catalog' ? { purpose } : {}),
      ...(target.kind === 'rdp' ? { rdp: rdpCredential(ticket) } : {}),
    },
    door,
    device,
    accessTokenId,
    client: stream,
    ...(target.kind === 'rdp' && annotations === 'machine'
      ? { annotate: (annotation) => stream.annotate(annotation) }
      : {}),
    ending: (reason) => stream.closeWith(closeCodes.ended, reason),
  })
  stream.end()
}

function refuse(stream: TunnelStream, code: number, reason: string): void {
  stream.closeWith(code, reason)
  stream.resume()
  stream.end()
}

function ticketWords({ why }: Extract<Redeemed<TicketAdmission>, { ok: false }>): string {
  switch (why) {
    case 'unknown':
      return 'This ticket is not one of this gateway’s. Open the session again.'
    case 'used':
      return 'This ticket was used already: each opens one tunnel. Open the session again.'
    case 'expired':
      return 'This ticket expired: it is good for a minute. Open the session again.'
    case 'revoked':
      return 'Your sign-in has ended. Sign in again.'
  }
}

function noDelay(request: IncomingMessage): void {
  request.socket.setNoDelay(true)
  request.socket.setKeepAlive(true, 30_000)
  request.socket.setTimeout(0)
}

function refuseUpgrade(socket: Duplex, detail: string): void {
  const body = JSON.stringify(problem(401, 'NOT_SIGNED_IN', detail))
  socket.end(
    `HTTP/1.1 401 Unauthorized\r\nContent-Type: ${problemType}\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  )
}
