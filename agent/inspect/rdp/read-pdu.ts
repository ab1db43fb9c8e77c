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
  /** Why it is over when the other side hangs up instead; by default that it did. */
  hungUp?: string
}

/** Reads one slow-path PDU. The stream is paused afterwards. */
export function readPdu(stream: Readable, options: ReadOptions): Promise<Buffer> {
  const { limit, who } = options
  return readMessage(stream, options, (read) => {
    if (read[0] !== 3) throw new RdpError(`the ${who} does not speak RDP`)
    if (read.length < 4) return undefined
    const length = read.readUInt16BE(2)
    if (length < 7 || length > limit) throw new RdpError(`the ${who} sent a first message of an impossible length`)
    return length
  })
}

/** Reads one message. `lengthOf` tells its length from its first bytes, undefined while it can't; it throws RdpError. */
export function readMessage(
  stream: Readable,
  { signal, more, who, hungUp = `the ${who} hung up` }: ReadOptions,
  lengthOf: (read: Buffer) => number | undefined,
): Promise<Buffer> {
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
    const fail = (error: unknown): void => settle(() => reject(error))
    const onAbort = (): void => fail(signal.reason)
    const onClose = (): void => fail(new RdpError(hungUp))
    const onData = (chunk: Buffer): void => {
      read = read.length === 0 ? chunk : Buffer.concat([read, chunk])
      let length: number | undefined
      try {
        length = lengthOf(read)
      } catch (error) {
        fail(error)
        return
      }
      if (length === undefined || read.length < length) return
      if (read.length > length && !more) {
        fail(new RdpError(`the ${who} sent bytes before TLS was set up`))
        return
      }
      const end = length
      settle(() => {
        if (read.length > end) stream.unshift(read.subarray(end))
        resolve(read.subarray(0, end))
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
