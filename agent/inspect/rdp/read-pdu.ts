import type { Readable } from 'node:stream'
import { RdpError } from './frames.ts'

export interface ReadOptions {
  signal: AbortSignal
  /** Longest PDU that is taken, in bytes. */
  limit: number
  /** What follows may already have been sent. Otherwise a byte behind the PDU is refused: it would be taken for encrypted. */
  more: boolean
  /** Who sends, for errors. */
  who: 'client' | 'target'
}

/** Reads one slow-path PDU. The stream is paused afterwards. */
export function readPdu(stream: Readable, { signal, limit, more, who }: ReadOptions): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let read: Buffer = Buffer.alloc(0)
    const settle = (finish: () => void): void => {
      stream.pause()
      stream.off('data', onData)
      stream.off('close', onClose)
      stream.off('end', onClose)
      signal.removeEventListener('abort', onAbort)
      finish()
    }
    const fail = (why: string): void => settle(() => reject(new RdpError(why)))
    const onAbort = (): void => settle(() => reject(signal.reason))
    const onClose = (): void => fail(`the ${who} hung up`)
    const onData = (chunk: Buffer): void => {
      read = read.length === 0 ? chunk : Buffer.concat([read, chunk])
      if (read[0] !== 3) {
        fail(`the ${who} does not speak RDP`)
        return
      }
      if (read.length < 4) return
      const length = read.readUInt16BE(2)
      if (length < 7 || length > limit) {
        fail(`the ${who} sent a first message of an impossible length`)
        return
      }
      if (read.length < length) return
      if (read.length > length && !more) {
        fail(`the ${who} sent bytes before TLS was set up`)
        return
      }
      settle(() => {
        if (read.length > length) stream.unshift(read.subarray(length))
        resolve(read.subarray(0, length))
      })
    }
    if (signal.aborted) {
      reject(signal.reason)
      return
    }
    stream.on('data', onData)
    stream.once('close', onClose)
    stream.once('end', onClose)
    signal.addEventListener('abort', onAbort, { once: true })
    stream.resume()
  })
}
