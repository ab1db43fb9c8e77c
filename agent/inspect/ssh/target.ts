import type { Duplex } from 'node:stream'
import { parsePrivateKey } from './algorithms.ts'
import { ClientAuth } from './auth.ts'
import { clientTransport, type Transport } from './transport.ts'

export interface TargetEvents {
  /** A message of the connection protocol. */
  payload(payload: Buffer): void
  drained(): void
  /** The host hung up, once it had let us in. */
  closed(reason: string): void
}

export interface TargetOptions {
  dial(): Promise<Duplex>
  user: string
  privateKey: string
  hostKeys: readonly string[]
  events: TargetEvents
  signal: AbortSignal
}

/** For the dialling, and again from there to being let in. */
export const targetDeadlineMs = 15_000

/** Dials the target, verifies its host key and signs in. Rejects with a reason in words. */
export async function connectTarget(options: TargetOptions): Promise<Transport> {
  const { user, events, signal } = options
  const key = parsePrivateKey(options.privateKey, 'The key that this connection signs in with')
  const stream = await dialled(options)
  return new Promise((resolve, reject) => {
    let entered = false
    const transport = clientTransport(stream, options.hostKeys, {
      ready: () => auth.start(),
      payload: (payload) => {
        if (entered) events.payload(payload)
        else auth.payload(payload)
      },
      drained: () => events.drained(),
      closed: (reason) => {
        clearTimeout(timer)
        signal.removeEventListener('abort', onAbort)
        if (entered) events.closed(reason)
        else reject(new Error(`The host could not be reached through SSH: ${reason}`))
      },
    })
    const auth = new ClientAuth(transport, user, key, () => {
      entered = true
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
      resolve(transport)
    })
    const onAbort = (): void => transport.close('The session ended.')
    const timer = setTimeout(
      () => transport.close(`it did not answer within ${targetDeadlineMs / 1000} s.`),
      targetDeadlineMs,
    )
    signal.addEventListener('abort', onAbort, { once: true })
    if (signal.aborted) onAbort()
  })
}

/** Dials within the deadline; a stream that comes too late, or for nobody, is closed. */
function dialled({ dial, signal }: TargetOptions): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    let over = false
    const giveUp = (reason: string): void => {
      over = true
      reject(new Error(reason))
    }
    const timer = setTimeout(
      () => giveUp(`The host did not answer within ${targetDeadlineMs / 1000} s.`),
      targetDeadlineMs,
    )
    const onAbort = (): void => giveUp('The session ended.')
    signal.addEventListener('abort', onAbort, { once: true })
    const settle = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
    }
    dial().then(
      (stream) => {
        settle()
        if (over) stream.destroy()
        else resolve(stream)
      },
      (error: unknown) => {
        settle()
        const why = error instanceof Error ? error.message : String(error)
        giveUp(`The host could not be reached: ${why}`)
      },
    )
  })
}
