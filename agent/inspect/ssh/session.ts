import type { Duplex } from 'node:stream'
import type { SessionEnd, Target } from '../../../shared/link.ts'
import type { InspectorPort } from '../port.ts'
import type { InspectorSession } from '../session.ts'
import { ServerAuth } from './auth.ts'
import { Relay } from './relay.ts'
import { disconnectCode, serverTransport } from './transport.ts'

export type SshTarget = Extract<Target, { kind: 'ssh' }>

export interface SshSessionOptions {
  client: Duplex
  /** Opens a stream to the target's address; rejects with a reason in words. */
  dial(): Promise<Duplex>
  target: SshTarget
  /** The inspector's own host key: OpenSSH or PEM private key text. */
  hostKey: string
  port: InspectorPort
}

/** A client must exchange keys and sign in within this time. */
export const entryDeadlineMs = 20_000

/**
 * Serves SSH in a tunnel: the ticket was the authentication, so any user name is let in without one.
 * Throws when the host key can't be read.
 */
export function serveSsh({ client, dial, target, hostKey, port }: SshSessionOptions): InspectorSession {
  let relay: Relay | undefined
  let settle: (end: SessionEnd) => void = () => undefined
  const done = new Promise<SessionEnd>((resolve) => {
    settle = resolve
  })
  const transport = serverTransport(client, hostKey, {
    ready: () => undefined,
    payload: (payload) => {
      if (relay === undefined) auth.payload(payload)
      else relay.fromClient(payload)
    },
    drained: () => relay?.clientDrained(),
    closed: (reason) => {
      clearTimeout(deadline)
      if (relay === undefined)
        settle({ reason: `The client left before it signed in: ${reason}`, bytesOut: 0, bytesIn: 0 })
      else relay.clientClosed(reason)
    },
  })
  const auth = new ServerAuth(transport, {
    mode: 'open',
    maxTries: 1,
    check: async () => ({ ok: true }),
    entered: () => {
      clearTimeout(deadline)
      relay = new Relay({ client: transport, dial, target, port })
      relay.done.then(settle)
    },
  })
  const deadline = setTimeout(
    () => transport.close('Nobody signed in for too long.', disconnectCode.noMoreAuthMethods),
    entryDeadlineMs,
  )
  return {
    end: (reason) => {
      if (relay === undefined) transport.close(reason)
      else relay.end(reason)
    },
    done,
  }
}
