import type { Duplex } from 'node:stream'
import type { Target } from '../../../shared/link.ts'
import type { InspectorPort } from '../port.ts'
import type { InspectorSession } from '../session.ts'

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

/** Serves SSH in a tunnel: the ticket was the authentication, so any user name is let in without one. */
export function serveSsh(options: SshSessionOptions): InspectorSession {
  const reason = 'The SSH inspector is not here yet.'
  options.client.destroy()
  return { end: () => undefined, done: Promise.resolve({ reason, bytesOut: 0, bytesIn: 0 }) }
}
