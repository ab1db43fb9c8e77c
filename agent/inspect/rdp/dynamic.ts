import { type ChannelFilter, type From, parseChunk, type Send } from './channel.ts'
import { type DynamicPurpose, dynamicPurposeOf } from './classify.ts'
import { RdpError, Reader, u32 } from './frames.ts'

/**
 * Dynamic channels (MS-RDPEDYC): the target opens them by name while the session runs, over the static channel `drdynvc`. A message
 * is `cbId:2 bits sp:2 bits cmd:4 bits | channel:1, 2 or 4 bytes | …`. What policy or the recording does not allow is answered
 * here: the client never hears of it, nor the target of a client that could have had it.
 */
export interface DynamicPort {
  /** Decides and records the opening of a channel. */
  opens(purpose: DynamicPurpose): Promise<boolean>
  /** Whether it may go on now: a grant may end. */
  allowed(purpose: DynamicPurpose): boolean
  failed(error: unknown): void
}

const command = { create: 1, dataFirst: 2, data: 3, close: 4, capability: 5 } as const
/** From version 3 on data may be compressed, which can't be looked at. */
const newest = 2
const mostChannels = 64
const longestName = 256
/** What a client answers that has no such channel. */
const notThere = 0xc0000001

type Channel =
  | { state: 'asked'; purpose: DynamicPurpose }
  | { state: 'offered'; purpose: DynamicPurpose }
  | { state: 'open'; purpose: DynamicPurpose }

export class DynamicFilter implements ChannelFilter {
  readonly #port: DynamicPort
  readonly #send: Send
  readonly #channels = new Map<number, Channel>()

  constructor(port: DynamicPort, send: Send) {
    this.#port = port
    this.#send = send
  }

  pass(from: From, data: Buffer): boolean {
    const { first, last, data: message } = parseChunk(data)
    // No message is longer than a chunk (3.1.5.1.4 of MS-RDPEDYC has data cut before).
    if (!first || !last) throw new RdpError('a message about dynamic channels is not whole')
    const r = new Reader(message)
    const header = r.u8()
    const kind = header >> 4
    switch (kind) {
      case command.capability:
        return this.#capability(from, message)
      case command.create:
        return from === 'server' ? this.#create(header, r, message) : this.#created(idOf(header, r), r)
      case command.close: {
        const id = idOf(header, r)
        const channel = this.#channels.get(id)
        this.#channels.delete(id)
        return channel !== undefined && channel.state !== 'asked'
      }
      case command.dataFirst:
      case command.data: {
        const channel = this.#channels.get(idOf(header, r))
        if (channel?.state !== 'open' || !this.#port.allowed(channel.purpose)) return false
        return channel.purpose.kind !== 'display' || from === 'server' || (kind === command.data && isLayout(r))
      }
      default:
        throw new RdpError(`a message about dynamic channels of an unknown kind (${kind})`)
    }
  }

  #capability(from: From, message: Buffer): boolean {
    const version = new Reader(message, 2).u16()
    if (version <= newest) return true
    if (from === 'client') throw new RdpError('the client takes a version of dynamic channels that it was not offered')
    const older = Buffer.from(message)
    older.writeUInt16LE(newest, 2)
    this.#send('client', older)
    return false
  }

  #create(header: number, r: Reader, message: Buffer): boolean {
    const id = idOf(header, r)
    const end = r.bytes.indexOf(0, r.at)
    if (end < 0 || end - r.at > longestName) throw new RdpError('a dynamic channel without a name')
    const purpose = dynamicPurposeOf(r.take(end - r.at).toString('latin1'))
    if (this.#channels.has(id)) throw new RdpError('the target opens a dynamic channel twice')
    if (this.#channels.size >= mostChannels) throw new RdpError('the target opens too many dynamic channels')
    const answer = Buffer.concat([message.subarray(0, 1 + idBytes(header)), u32(notThere)])
    if (purpose === undefined) {
      this.#send('server', answer)
      return false
    }
    const asked: Channel = { state: 'asked', purpose }
    this.#channels.set(id, asked)
    const offer = Buffer.from(message)
    this.#port
      .opens(purpose)
      .then((opens) => {
        // The target may have closed it meanwhile, and opened another one.
        if (this.#channels.get(id) !== asked) return
        if (opens) this.#channels.set(id, { state: 'offered', purpose })
        else this.#channels.delete(id)
        this.#send(opens ? 'client' : 'server', opens ? offer : answer)
      })
      .catch((error: unknown) => this.#port.failed(error))
    return false
  }

  /** The client's answer. */
  #created(id: number, r: Reader): boolean {
    const channel = this.#channels.get(id)
    if (channel?.state !== 'offered') return false
    if ((r.u32() & 0x80000000) === 0) this.#channels.set(id, { state: 'open', purpose: channel.purpose })
    else this.#channels.delete(id)
    return true
  }
}

function idBytes(header: number): number {
  return [1, 2, 4][header & 3] ?? 0
}

function idOf(header: number, r: Reader): number {
  switch (header & 3) {
    case 0:
      return r.u8()
    case 1:
      return r.u16()
    case 2:
      return r.u32()
    default:
      throw new RdpError('a dynamic channel without a number')
  }
}

/** The largest desktop that is recorded. */
const largest = { width: 4096, height: 2304 }

/** A monitor layout (MS-RDPEDISP 2.2.2.2) of one screen that can be recorded. Others are dropped: the desktop keeps its size. */
function isLayout(r: Reader): boolean {
  const [type, length, size, count] = [r.u32(), r.u32(), r.u32(), r.u32()]
  if (type !== 2 || length !== 16 + 40 || size !== 40 || count !== 1 || r.left !== 40) return false
  r.take(12)
  return r.u32() <= largest.width && r.u32() <= largest.height
}
