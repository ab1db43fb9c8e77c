import { RdpError, Reader, u32 } from './frames.ts'

/** Static virtual channels: messages in chunks of `length:u32 flags:u32 data`, where `length` is the whole message's. */

export type From = 'client' | 'server'

export interface Chunk {
  /** Bytes of the whole message. */
  total: number
  first: boolean
  last: boolean
  data: Buffer
}

const flag = { first: 1, last: 2, showProtocol: 0x10, compressed: 0x00200000 } as const
/** The size that every peer takes. */
const chunkBytes = 1600
const mostQueued = 64

export function parseChunk(data: Buffer): Chunk {
  const r = new Reader(data)
  const total = r.u32()
  const flags = r.u32()
  if ((flags & flag.compressed) !== 0) throw new RdpError('a channel is compressed although nobody agreed to it')
  return { total, first: (flags & flag.first) !== 0, last: (flags & flag.last) !== 0, data: r.rest() }
}

/** Looks at what crosses one channel. */
export interface ChannelFilter {
  /** True: the chunk goes on as it is. False: it does not; what goes instead has been sent already. */
  pass(from: From, data: Buffer): boolean
}

/** Sends a whole message of a filter's own on the channel. */
export type Send = (to: From, message: Buffer) => void

/**
 * One channel with its filter. What the filter says itself waits while a message of the other side is on its way there:
 * chunks of two messages must not mix.
 */
export class FilteredChannel {
  readonly #filter: ChannelFilter
  readonly #write: (to: From, chunk: readonly Buffer[]) => void
  readonly #open: Record<From, boolean> = { client: false, server: false }
  readonly #queue: Record<From, Buffer[]> = { client: [], server: [] }

  constructor(make: (send: Send) => ChannelFilter, write: (to: From, chunk: readonly Buffer[]) => void) {
    this.#write = write
    this.#filter = make((to, message) => {
      if (this.#queue[to].length >= mostQueued) throw new RdpError('a channel’s message does not end')
      this.#queue[to].push(message)
      if (!this.#open[to]) this.#drain(to)
    })
  }

  /** `forward` sends the chunk on as it came. */
  chunk(from: From, data: Buffer, forward: () => void): void {
    if (!this.#filter.pass(from, data)) return
    forward()
    const to = from === 'client' ? 'server' : 'client'
    this.#open[to] = !parseChunk(data).last
    if (!this.#open[to]) this.#drain(to)
  }

  #drain(to: From): void {
    for (const message of this.#queue[to].splice(0)) for (const chunk of chunksOf(message)) this.#write(to, chunk)
  }
}

/**
 * Follows a peer's messages chunk by chunk: `begin` sees the first bytes of each and says what becomes of it.
 * Throws when chunks do not make messages.
 */
export class Messages<Fate> {
  #left = 0
  #fate: Fate | undefined
  readonly #begin: (chunk: Chunk) => Fate

  constructor(begin: (chunk: Chunk) => Fate) {
    this.#begin = begin
  }

  next(data: Buffer): { chunk: Chunk; fate: Fate } {
    const chunk = parseChunk(data)
    if (chunk.first !== (this.#fate === undefined)) throw new RdpError('a channel’s chunks are out of order')
    if (chunk.first) this.#left = chunk.total
    if (chunk.data.length > this.#left) throw new RdpError('a channel’s message is longer than it says')
    this.#left -= chunk.data.length
    const fate = this.#fate ?? this.#begin(chunk)
    this.#fate = chunk.last ? undefined : fate
    if (chunk.last && this.#left !== 0) throw new RdpError('a channel’s message is shorter than it says')
    return { chunk, fate }
  }
}

/** A whole message as chunks. */
function chunksOf(message: Buffer): Buffer[][] {
  const chunks: Buffer[][] = []
  for (let at = 0; at < message.length; at += chunkBytes) {
    const part = message.subarray(at, at + chunkBytes)
    const flags =
      (at === 0 ? flag.first : 0) | (at + part.length === message.length ? flag.last : 0) | flag.showProtocol
    chunks.push([u32(message.length), u32(flags), part])
  }
  return chunks
}
