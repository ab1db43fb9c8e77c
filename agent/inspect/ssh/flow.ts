import { channelRequest, encode, FrameError, message } from './frames.ts'
import type { Transport } from './transport.ts'

/** The window that we grant: what a peer may send on a channel before we take it. Bounds what either can make us hold. */
export const windowSize = 2 << 20
/** The largest data message that we accept; ssh2's transport refuses packets over 35,000 bytes. */
export const packetSize = 32 << 10
/** With more than this waiting for the far side, no more window is granted to the near one. */
const lowWater = windowSize / 2
const maxWindow = 0xffff_ffff

type Item =
  | { kind: 'data'; data: Buffer; stderr: boolean }
  | { kind: 'request'; name: string; data: Buffer }
  | { kind: 'eof' }
  | { kind: 'close' }

/**
 * The way out to one side of a channel. Data, requests, EOF and close leave in the order given, as the peer's window and
 * the transport allow. Until `open` everything waits.
 */
export class Outlet {
  readonly #transport: Transport
  readonly #progress: () => void
  readonly #queue: Item[] = []
  #recipient: number | undefined
  #window = 0
  #maxPacket = packetSize
  #queued = 0
  #closed = false
  #discarding = false

  /** `progress` is called when something that waited has left: time to grant the other side more window. */
  constructor(transport: Transport, progress: () => void) {
    this.#transport = transport
    this.#progress = progress
  }

  /** Bytes of data that wait. */
  get queued(): number {
    return this.#queued
  }

  get hasRoom(): boolean {
    return this.#queued < lowWater
  }

  /** Close has been sent: nothing leaves any more. */
  get closed(): boolean {
    return this.#closed
  }

  open(recipient: number, window: number, maxPacket: number): void {
    if (maxPacket === 0) throw new FrameError('a channel without room for data')
    this.#recipient = recipient
    this.#window = window
    this.#maxPacket = Math.min(maxPacket, packetSize)
    this.flush()
  }

  data(data: Buffer, stderr = false): void {
    if (data.length === 0) return
    this.#push({ kind: 'data', data, stderr })
  }

  /** A request that wants no reply, in order with data. */
  request(name: string, data: Buffer): void {
    this.#push({ kind: 'request', name, data })
  }

  eof(): void {
    this.#push({ kind: 'eof' })
  }

  close(): void {
    this.#push({ kind: 'close' })
  }

  /** The peer takes no more data: what waits of it is forgotten, what comes is dropped. Requests and close still leave. */
  discardData(): void {
    this.#discarding = true
    const kept = this.#queue.filter((item) => item.kind !== 'data')
    this.#queue.splice(0, this.#queue.length, ...kept)
    this.#queued = 0
    this.flush()
  }

  /** Forgets what waits and closes at once. */
  abort(): void {
    this.#queue.length = 0
    this.#queued = 0
    this.close()
  }

  adjust(bytes: number): void {
    this.#window += bytes
    if (this.#window > maxWindow) throw new FrameError('a window larger than there can be')
    this.flush()
  }

  /** Sends what may be sent now. */
  flush(): void {
    const recipient = this.#recipient
    if (recipient === undefined) return
    let moved = false
    sending: for (let item = this.#queue[0]; item !== undefined && !this.#closed; item = this.#queue[0]) {
      switch (item.kind) {
        case 'data': {
          if (this.#transport.congested) break sending
          const sent = this.#sendData(recipient, item.data, item.stderr)
          this.#queued -= sent
          moved ||= sent > 0
          if (sent < item.data.length) {
            item.data = item.data.subarray(sent)
            break sending
          }
          break
        }
        case 'request':
          this.#transport.send(channelRequest(recipient, item.name, false, item.data))
          break
        case 'eof':
          this.#transport.send(encode(message.channelEof, [recipient]))
          break
        case 'close':
          this.#closed = true
          this.#transport.send(encode(message.channelClose, [recipient]))
          break
        default:
          item satisfies never
      }
      this.#queue.shift()
    }
    if (moved) this.#progress()
  }

  #push(item: Item): void {
    if (this.#closed || (this.#discarding && item.kind === 'data')) return
    if (item.kind === 'data') this.#queued += item.data.length
    this.#queue.push(item)
    if (this.#queue.length === 1) this.flush()
  }

  #sendData(recipient: number, data: Buffer, stderr: boolean): number {
    let at = 0
    while (at < data.length && this.#window > 0 && !this.#transport.congested) {
      const size = Math.min(data.length - at, this.#window, this.#maxPacket)
      const slice = size === data.length ? data : data.subarray(at, at + size)
      this.#transport.sendData(recipient, stderr, slice)
      this.#window -= size
      at += size
    }
    return at
  }
}

/** What we let a peer send on a channel, and take account of. */
export class Credit {
  #left = windowSize

  /** Takes account of data that came. Throws FrameError when the peer sent more than it was allowed. */
  take(bytes: number): void {
    this.#left -= bytes
    if (this.#left < 0) throw new FrameError('more data than the window allows')
  }

  /** How much more to grant now: 0 until it is worth a message. */
  refill(): number {
    if (this.#left > windowSize / 2) return 0
    const amount = windowSize - this.#left
    this.#left = windowSize
    return amount
  }
}
