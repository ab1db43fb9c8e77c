import type { Duplex } from 'node:stream'
import type { InspectorPort } from '../port.ts'
import type { InspectorSession } from '../session.ts'
import type { SshTarget } from './session.ts'

/** What a successful sign-in opens. `open` is called once, when the session is about to be served. */
export type SshEntry =
  | {
      ok: true
      open(): { dial(): Promise<Duplex>; target: SshTarget; port: InspectorPort }
      opened(session: InspectorSession): void
    }
  | { ok: false; reason: string }

export interface SshFrontOptions {
  client: Duplex
  hostKey: string
  /** `user` as typed (`ada%web-1`); `password` is the session token. Delays are the gateway's. */
  authenticate(user: string, password: string): Promise<SshEntry>
}

/** Serves a raw SSH connection whose user is not yet known: password or keyboard-interactive, within a deadline. */
export function serveSshFront(options: SshFrontOptions): void {
  options.client.destroy()
}
