import type { Duplex } from 'node:stream'
import { FrameError } from './frames.ts'
import { RecordError, unrecorded } from './line.ts'

/** A client that does not take our last words is left after this. */
const goodbyeMs = 2_000
/** One that is still saying what is not read looks for an answer when it has: for so long what it says is swallowed. */
const hearingOutMs = 10_000
/** PostgreSQL takes no longer message, so nobody is saying one. */
const longestHeardOut = 1 << 30

/** Why a session can't go on: the peer broke the protocol, the record can't be written, or the catalog can't be read. */
export function endedBy(error: unknown): string {
  const words = error instanceof Error ? error.message : String(error)
  if (error instanceof RecordError) return words === '' ? unrecorded : `${unrecorded}: ${words}`
  return isOurs(error) ? `The session ends over an internal fault: ${words}` : `The session ends: ${words}`
}

/** An error that no peer and no store makes: a mistake in this code. */
function isOurs(error: unknown): boolean {
  return error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError
}

/**
 * What the client is still saying when the session ends. libpq takes the end of the stream for a broken connection, and reads no
 * reason, as long as it has something to say.
 */
export class Unheard {
  #bytes = 0

  /** The session ends over an error in what the client says, of which so many bytes are to come. */
  expect(error: unknown, bytes: number): void {
    if (error instanceof FrameError && bytes < longestHeardOut) this.#bytes = bytes
  }

  /** True: these were the last. */
  hear(bytes: number): boolean {
    if (this.#bytes <= 0) return false
    this.#bytes -= bytes
    return this.#bytes <= 0
  }

  /** There is more to come. */
  get some(): boolean {
    return this.#bytes > 0
  }

  /** How long the client has until it is left. */
  get patienceMs(): number {
    return this.some ? hearingOutMs : goodbyeMs
  }
}

/** Resolves when the stream has closed. */
export function closing(stream: Duplex): Promise<void> {
  if (stream.closed) return Promise.resolve()
  return new Promise((resolve) => stream.once('close', () => resolve()))
}
