import type { Duplex } from 'node:stream'
import { inTime } from './in-time.ts'
import type { SaltedPasswords } from './scram.ts'
import { type SignedIn, signIn } from './signin.ts'
import { writeCancel } from './startup.ts'
import { type PostgresTarget, secure } from './tls.ts'

/** A way to the target: a connection of its own for each who asks. */
export interface Way {
  dial(): Promise<Duplex>
  target: PostgresTarget
}

/**
 * Connects and signs in. `reached` gets each stream as soon as there is one, so that it can be closed; one that comes when nobody waits any
 * more is not kept.
 */
export async function signInAt(
  { dial, target }: Way,
  parameters: ReadonlyMap<string, string>,
  salted: SaltedPasswords,
  signal: AbortSignal,
  reached: (stream: Duplex) => void,
): Promise<[Duplex, SignedIn]> {
  const dialled = dial()
  dialled.then(
    (late) => {
      if (signal.aborted) late.destroy()
    },
    () => {},
  )
  const raw = await inTime(dialled, signal)
  raw.on('error', () => {})
  reached(raw)
  const server = await secure(raw, target, signal)
  reached(server)
  server.on('error', () => {})
  return [server, await signIn(server, target, parameters, salted, signal)]
}

/** Cancels what runs, over a connection of its own. Best effort, as in the protocol: nothing is answered. */
export async function cancelAt(
  { dial, target }: Way,
  { processId, secret }: Pick<SignedIn, 'processId' | 'secret'>,
  patienceMs: number,
): Promise<void> {
  let stream: Duplex | undefined
  try {
    const raw = await dial()
    raw.on('error', () => {})
    stream = raw
    stream = await secure(raw, target, AbortSignal.timeout(patienceMs))
    stream.on('error', () => {})
    stream.end(writeCancel(processId, secret))
    stream.resume()
    setTimeout(() => raw.destroy(), patienceMs).unref()
  } catch {
    stream?.destroy()
  }
}
