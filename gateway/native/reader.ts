import type { Duplex } from 'node:stream'
import { StartupError, type Taken } from './startup.ts'

/** One deadline over all phases before somebody is let in: a peer that sends a byte now and then is stalled too. */
export class Deadline {
  readonly #timer: NodeJS.Timeout
  readonly #expired: Promise<never>

  constructor(ms: number, expired: () => void) {
    let fail: (error: Error) => void = () => {}
    this.#expired = new Promise((_done, reject) => {
      fail = reject
    })
    // Nobody may be racing when it expires.
    this.#expired.catch(() => undefined)
    this.#timer = setTimeout(() => {
      fail(new Error('the client took too long'))
      expired()
    }, ms)
    this.#timer.unref()
  }

  race<T>(work: Promise<T>): Promise<T> {
    return Promise.race([work, this.#expired])
  }

  clear(): void {
    clearTimeout(this.#timer)
  }
}

/** Reads whole packets off a stream without taking more from it than can be given back. */
export class StreamReader {
  readonly deadline: Deadline
  readonly #stream: Duplex
  #bytes: Buffer = Buffer.alloc(0)
  #size = 0

  constructor(stream: Duplex, deadline: Deadline) {
    this.#stream = stream
    this.deadline = deadline
  }

  /** Bytes that came behind the last packet. */
  get buffered(): number {
    return this.#bytes.byteLength + this.#stream.readableLength
  }

  /** Waits for a packet; it stays until `consume` or `take`. Throws StartupError when it would be longer than `limit`. */
  async peek<T>(limit: number, take: (bytes: Buffer) => Taken<T> | undefined): Promise<Taken<T>> {
    for (;;) {
      const taken = take(this.#bytes)
      if (taken !== undefined) {
        this.#size = taken.size
        return taken
      }
      if (this.#bytes.byteLength > limit) throw new StartupError('That is longer than any start-up message.')
      this.#bytes = Buffer.concat([this.#bytes, await this.deadline.race(this.#more())])
    }
  }

  consume(): void {
    this.take()
  }

  /** The packet that `peek` found, taken off. */
  take(): Buffer {
    const packet = this.#bytes.subarray(0, this.#size)
    this.#bytes = this.#bytes.subarray(this.#size)
    this.#size = 0
    return packet
  }

  /** Ends the reading; returns what was read and not taken. */
  release(): Buffer {
    const rest = this.#bytes
    this.#bytes = Buffer.alloc(0)
    return rest
  }

  #more(): Promise<Buffer> {
    const chunk: unknown = this.#stream.read()
    if (Buffer.isBuffer(chunk)) return Promise.resolve(chunk)
    return new Promise((done, fail) => {
      const stop = () => {
        this.#stream.off('readable', readable)
        this.#stream.off('end', ended)
        this.#stream.off('close', ended)
        this.#stream.off('error', failed)
      }
      const readable = () => {
        const bytes: unknown = this.#stream.read()
        if (!Buffer.isBuffer(bytes)) return
        stop()
        done(bytes)
      }
      const ended = () => {
        stop()
        fail(new Error('the client left'))
      }
      const failed = (error: Error) => {
        stop()
        fail(error)
      }
      this.#stream.on('readable', readable)
      this.#stream.on('end', ended)
      this.#stream.on('close', ended)
      this.#stream.on('error', failed)
    })
  }
}
