import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'

/**
 * A stream that can read into memory that it uses again. Chunks of a million-row result are megabytes a second of garbage
 * otherwise, and collecting it costs more than masking the rows.
 */
export interface Lender extends Duplex {
  /**
   * Hands everything that is read from here on to `read` instead of emitting it. The chunk is on loan: it is the reader's for good
   * when it answers true, and overwritten otherwise.
   */
  lend(read: (chunk: Buffer) => boolean): void
}

export function isLender(stream: Duplex): stream is Lender {
  return 'lend' in stream
}

/** Whether what was written is out of our memory: the kernel's, or encrypted. Only sockets can say; others may pass it on as it is. */
export function tookAll(stream: Duplex): boolean {
  return stream instanceof Socket && stream.writableLength === 0
}
