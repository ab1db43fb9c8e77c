import type { Duplex } from 'node:stream'
import { Client } from 'ssh2'
import { fail, messageOf, ProblemError } from '../problem.ts'
import { isHostKey } from './host-key.ts'

export interface SshOptions {
  stream: Duplex
  user: string
  /** The inspector's host key, from the session ticket. Without it nothing is connected. */
  hostKey: string | undefined
  /** Called with the key that was seen, in SSH wire format, once it has been verified. */
  onHostKey?: (key: Buffer) => void
}

/** Signs in to the inspector at the other end of a tunnel. The ticket was the authentication. Rejects with a ProblemError. */
export function connectSsh(options: SshOptions): Promise<Client> {
  const { stream, user, hostKey, onHostKey } = options
  return new Promise((resolve, reject) => {
    if (hostKey === undefined) {
      stream.destroy()
      reject(fail('failed', 'The gateway named no host key, so the SSH session can not be verified.'))
      return
    }
    const client = new Client()
    let mismatch = false
    let broken: Error | undefined
    stream.on('error', (error) => {
      broken = error
    })
    client.once('ready', () => resolve(client))
    client.on('error', (error) => {
      client.destroy()
      if (mismatch) {
        reject(
          fail('failed', 'The host key is not the one that the gateway named. The session was not opened.', {
            hint: 'Someone may be between this machine and the gateway. Tell the people who run it.',
          }),
        )
      } else
        reject(
          broken instanceof ProblemError
            ? broken
            : fail('failed', `SSH: ${messageOf(broken ?? error)}.`, { action: 'retry' }),
        )
    })
    client.once('close', () =>
      reject(broken ?? fail('session-ended', 'The SSH session ended.', { action: 'reconnect' })),
    )
    client.connect({
      sock: stream,
      username: user,
      authHandler: ['none'],
      hostVerifier: (key: Buffer) => {
        mismatch = !isHostKey(key, hostKey)
        if (!mismatch) onHostKey?.(key)
        return !mismatch
      },
      readyTimeout: 60_000,
      keepaliveInterval: 20_000,
      keepaliveCountMax: 3,
    })
  })
}
