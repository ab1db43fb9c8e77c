import type { Duplex } from 'node:stream'
import type { z } from 'zod'
import type { Annotation } from '../../shared/annotation.ts'
import type { Door, Purpose, SessionTicket } from '../../shared/api/models.ts'
import { openTunnel } from '../tunnel.ts'
import type { GatewayInfo } from './address.ts'
import { type ApiClient, asked } from './client.ts'

export interface GatewaySession {
  stream: Duplex
  sessionId: string
  /** For SSH: the inspector's host key, `SHA256:…`. */
  hostKey: string | undefined
  /** For RDP: what the launched client must trust and sign in with. */
  rdp: SessionTicket['rdp']
}

/** Opens a session on a connection: a ticket from the API, spent on a tunnel. Rejects with a ProblemError. */
export async function openSession(
  gateway: { info: GatewayInfo; api: ApiClient },
  connection: string,
  how: { door: Exclude<z.infer<typeof Door>, 'native'>; annotations: 'machine' | 'text'; purpose?: Purpose },
  signal?: AbortSignal,
  /** RDP: called with each decision that comes beside the stream. */
  annotated?: (annotation: Annotation) => void,
): Promise<GatewaySession> {
  const ticket = await asked(gateway.api.sessions.open({ connection, ...how }, signal === undefined ? {} : { signal }))
  const url = new URL(ticket.tunnel, `${gateway.info.api}/`)
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
  // A ticket is sent to nobody but the gateway that gave it.
  url.host = new URL(gateway.info.api).host
  const stream = await openTunnel({
    url: url.href,
    ticket: ticket.ticket,
    ...(signal === undefined ? {} : { signal }),
    ...(annotated === undefined ? {} : { annotated }),
  })
  return { stream, sessionId: ticket.sessionId, hostKey: ticket.hostKey, rdp: ticket.rdp }
}
