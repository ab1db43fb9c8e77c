import type { Duplex } from 'node:stream'
import type { InspectorPort } from '../port.ts'
import type { InspectorSession } from '../session.ts'
import { ServerAuth } from './auth.ts'
import { Relay } from './relay.ts'
import { entryDeadlineMs, type SshTarget } from './session.ts'
import { disconnectCode, serverTransport } from './transport.ts'

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

/** As sshd's MaxAuthTries, for tokens that nobody mistypes twice. */
const maxTries = 3

/**
 * Serves a raw SSH connection whose user is not yet known: password or keyboard-interactive, within a deadline and a bounded
 * number of tries. Throws when the host key can't be read.
 */
export function serveSshFront({ client, hostKey, authenticate }: SshFrontOptions): void {
  let relay: Relay | undefined
  let entry: Extract<SshEntry, { ok: true }> | undefined
  const transport = serverTransport(client, hostKey, {
    ready: () => undefined,
    payload: (payload) => {
      if (relay === undefined) auth.payload(payload)
      else relay.fromClient(payload)
    },
    drained: () => relay?.clientDrained(),
    closed: (reason) => {
      clearTimeout(deadline)
      relay?.clientClosed(reason)
    },
  })
  const auth = new ServerAuth(transport, {
    mode: 'password',
    maxTries,
    check: async ({ user, password }) => {
      const answer = await authenticate(user, password)
      if (!answer.ok) return answer
      entry = answer
      return { ok: true }
    },
    entered: () => {
      clearTimeout(deadline)
      if (entry === undefined) return
      const session = new Relay({ client: transport, ...entry.open() })
      relay = session
      entry.opened({ end: (reason) => session.end(reason), done: session.done })
    },
  })
  const deadline = setTimeout(
    () => transport.close('Nobody signed in for too long.', disconnectCode.noMoreAuthMethods),
    entryDeadlineMs,
  )
}
