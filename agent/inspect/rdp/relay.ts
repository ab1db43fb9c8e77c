import type { TLSSocket } from 'node:tls'
import type { RdpCredential } from '../../../shared/link.ts'
import type { InspectorPort } from '../port.ts'
import type { Gate } from './admit.ts'
import { rewriteCapabilities, shareType } from './capabilities.ts'
import type { FilteredChannel, From } from './channel.ts'
import { channelFilter, type Filtering } from './channel-filters.ts'
import { clientInfo, parseClientInfo } from './client-info.ts'
import {
  mcsData,
  mcsDisconnect,
  mcsJoined,
  type Pdu,
  PduSplitter,
  parseMcs,
  RdpError,
  Reader,
  slowPayload,
} from './frames.ts'
import type { Channel } from './gcc.ts'
import { countFast, countSlow } from './input.ts'
import { Outbox } from './outbox.ts'
import type { Studio } from './picture/studio.ts'
import { DesktopRecorder } from './recorder.ts'
import { same } from './same.ts'
import { errorInfo, isShare, serverUser, shareDataHeader, updateType } from './share.ts'
import type { RdpTarget } from './tls.ts'
import { UpdateReader } from './updates.ts'

export interface RelayOptions {
  /** TLS towards the client and the target, behind the settings exchange. */
  front: TLSSocket
  back: TLSSocket
  port: InspectorPort
  gate: Gate
  studio: Studio
  credential: RdpCredential
  target: RdpTarget
  ioChannel: number
  /** As the client asked for them. A ghost is one that the target knows nothing of. */
  channels: readonly (Channel & { id: number; ghost: boolean })[]
  /** The target has let us in. */
  signedIn(): void
  end(reason: string, how?: 'over' | 'cut off'): void
}

type Phase = 'joining' | 'licensing' | 'active'

const licensePacket = 0x0080
const flowPdu = 0x8000
/** An administrator ended the session: what clients show when somebody else closes it. */
const endedByAdministrator = 1
/** How often an idle desktop asks whether it may stay. */
const reviewMs = 500

/** The middle of a desktop session, from joining channels to its end. Errors of either side end it. */
export class Relay {
  readonly #options: RelayOptions
  readonly #recorder: DesktopRecorder
  readonly #updates: UpdateReader
  readonly #splitters: Record<From, PduSplitter> = { client: new PduSplitter(), server: new PduSplitter() }
  readonly #outboxes: Record<From, Outbox>
  readonly #filters = new Map<number, FilteredChannel>()
  readonly #given = new Set<number>()
  readonly #ghosts = new Set<number>()
  #phase: Phase = 'joining'
  #user = 0
  #shareId = 0
  #epoch: number
  readonly #review: NodeJS.Timeout
  #over = false
  bytesOut = 0
  bytesIn = 0

  constructor(options: RelayOptions) {
    this.#options = options
    const { front, back, port, studio, channels, ioChannel } = options
    this.#epoch = port.epoch
    this.#recorder = new DesktopRecorder({
      port,
      studio,
      failed: (why) => options.end(`This desktop can't be recorded, so nothing more is let through: ${why}`),
      progress: () => this.#flow(),
    })
    this.#updates = new UpdateReader((update) => this.#recorder.draw(update))
    this.#outboxes = { client: new Outbox(front), server: new Outbox(back) }
    const filtering: Filtering = {
      gate: options.gate,
      port,
      record: (event) => this.#recorder.record(event),
      write: (to, channel, chunk) => this.#write(to, channel, chunk),
      sent: (to) => this.#outboxes[to].flush(),
      isOver: () => this.#over,
      end: options.end,
    }
    this.#given.add(ioChannel)
    for (const channel of channels) {
      if (channel.ghost) this.#ghosts.add(channel.id)
      else {
        this.#given.add(channel.id)
        const filter = channelFilter(channel, filtering)
        if (filter !== undefined) this.#filters.set(channel.id, filter)
      }
    }
    this.#listen('client', front)
    this.#listen('server', back)
    front.on('drain', () => this.#flow())
    back.on('drain', () => this.#flow())
    this.#flow()
    // A grant may be taken back while nobody moves: what is on the screen has to go all the same.
    this.#review = setInterval(() => this.#mayGoOn(), reviewMs).unref()
  }

  /** Tells the client that it is over, so that it shows why instead of connecting again. */
  goodbye(): boolean {
    this.#over = true
    clearInterval(this.#review)
    const { front, ioChannel } = this.#options
    if (this.#phase === 'active' && front.writable) {
      front.write(mcsData('server', serverUser, ioChannel, errorInfo(this.#shareId, endedByAdministrator)))
    }
    if (front.writable) front.write(mcsDisconnect)
    return true
  }

  /** Resolves when all of it is on the recording. */
  close(): Promise<void> {
    this.#over = true
    clearInterval(this.#review)
    return this.#recorder.close()
  }

  #listen(from: From, stream: TLSSocket): void {
    stream.on('data', (chunk: Buffer) => this.#chunk(from, chunk))
    const left = from === 'client' ? 'The client left.' : 'The desktop was closed.'
    for (const event of ['end', 'close']) stream.once(event, () => this.#options.end(left, 'over'))
  }

  /** Reads a side only while what it sends has somewhere to go. */
  #flow(): void {
    const { front, back } = this.#options
    if (this.#over) return
    set(back, !front.writableNeedDrain && this.#recorder.hasRoom)
    set(front, !back.writableNeedDrain)
  }

  #chunk(from: From, chunk: Buffer): void {
    if (this.#over) return
    const { end } = this.#options
    if (from === 'client') this.bytesIn += chunk.length
    else this.bytesOut += chunk.length
    try {
      if (!this.#mayGoOn()) return
      for (const pdu of this.#splitters[from].push(chunk)) this.#pdu(from, pdu)
      // The person first: what they see is copied for the recorder by now, which ends the session when it can't draw it.
      this.#outboxes.client.flush()
      this.#outboxes.server.flush()
      if (from === 'server') this.#recorder.flush()
      this.#flow()
    } catch (error) {
      const who = from === 'client' ? 'The client' : 'The target'
      end(
        error instanceof RdpError
          ? `${who} broke the protocol: ${error.message}.`
          : `${who} was not understood: ${String(error)}`,
      )
    }
  }

  /** Ends it when policy no longer lets it be open. */
  #mayGoOn(): boolean {
    const { port, gate, end } = this.#options
    if (port.epoch === this.#epoch) return true
    this.#epoch = port.epoch
    const why = gate.whyNotConnected()
    if (why !== undefined) end(why)
    return why === undefined
  }

  #forward(from: From, bytes: Buffer): void {
    this.#outboxes[from === 'client' ? 'server' : 'client'].add(bytes)
  }

  /** A chunk of our own on a channel. */
  #write(to: From, channel: number, chunk: readonly Buffer[]): void {
    const from = to === 'client' ? 'server' : 'client'
    this.#outboxes[to].add(mcsData(from, from === 'client' ? this.#user : serverUser, channel, ...chunk))
  }

  #pdu(from: From, pdu: Pdu): void {
    if (pdu.kind === 'fast') {
      if (this.#phase !== 'active') throw new RdpError('a fast-path message before the sign-in')
      const header = pdu.bytes[0] ?? 0
      if (from === 'client') this.#recorder.input((into) => countFast(header, pdu.payload, into))
      else this.#updates.fast(header, pdu.payload)
      this.#forward(from, pdu.bytes)
      return
    }
    const mcs = parseMcs(slowPayload(pdu.bytes))
    switch (mcs.kind) {
      case 'data':
        if (mcs.from !== from) throw new RdpError('a message of the other side')
        this.#data(from, pdu.bytes, mcs.user, mcs.channel, mcs.data)
        return
      case 'erect':
      case 'attach':
        if (from !== 'client' || this.#phase !== 'joining') throw new RdpError('a message out of order')
        this.#forward(from, pdu.bytes)
        return
      case 'attached':
        if (from !== 'server' || this.#user !== 0) throw new RdpError('a message out of order')
        this.#user = mcs.user
        if (this.#ghosts.has(mcs.user)) throw new RdpError('the target gives an id twice')
        this.#given.add(mcs.user)
        this.#forward(from, pdu.bytes)
        return
      case 'join':
        if (from !== 'client' || mcs.user !== this.#user) throw new RdpError('a message out of order')
        if (this.#ghosts.has(mcs.channel)) this.#outboxes.client.add(mcsJoined(mcs.user, mcs.channel))
        else if (this.#given.has(mcs.channel)) this.#forward(from, pdu.bytes)
        else throw new RdpError('the client joins a channel that it was not given')
        return
      case 'joined':
        if (from !== 'server') throw new RdpError('a message out of order')
        this.#forward(from, pdu.bytes)
        return
      case 'disconnect':
        this.#forward(from, pdu.bytes)
        return
      default:
        mcs satisfies never
    }
  }

  #data(from: From, bytes: Buffer, user: number, channel: number, data: Buffer): void {
    if (from === 'client' && user !== this.#user) throw new RdpError('a message of another user')
    if (channel === this.#options.ioChannel) {
      this.#io(from, bytes, user, data)
      return
    }
    if (this.#phase !== 'active' && from === 'client') throw new RdpError('a channel is used before the sign-in')
    // What is sent to nobody is read by nobody.
    if (this.#ghosts.has(channel)) return
    if (!this.#given.has(channel) || channel === this.#user) throw new RdpError('a channel that was not given')
    const filter = this.#filters.get(channel)
    if (filter === undefined) throw new RdpError('a channel that nobody looks at')
    filter.chunk(from, data, () => this.#forward(from, bytes))
  }

  #io(from: From, bytes: Buffer, user: number, data: Buffer): void {
    switch (this.#phase) {
      case 'joining':
        if (from !== 'client') throw new RdpError('the target speaks before the sign-in')
        this.#signIn(user, data)
        return
      case 'licensing':
        if (from === 'server' && isShare(data)) this.#share(from, bytes, user, data)
        else {
          if ((new Reader(data).u16() & licensePacket) === 0) throw new RdpError('a message before the licence')
          this.#forward(from, bytes)
        }
        return
      case 'active':
        this.#share(from, bytes, user, data)
        return
      default:
        this.#phase satisfies never
    }
  }

  #signIn(user: number, data: Buffer): void {
    const { credential, target, gate, ioChannel } = this.#options
    const info = parseClientInfo(data)
    // Both are compared, so that time tells nothing about either.
    const [name, word] = [same(info.username, credential.username), same(info.password, credential.password)]
    if (!name || !word) throw new RdpError('it did not sign in as the client of this session')
    const audio = gate.allows({ action: 'rdp:audio' })
    this.#outboxes.server.add(mcsData('client', user, ioChannel, clientInfo(info, target, audio)))
    this.#phase = 'licensing'
  }

  /** One or more Share Control PDUs; passed by reference unless one of them has to be written anew. */
  #share(from: From, bytes: Buffer, user: number, data: Buffer): void {
    const r = new Reader(data)
    const parts: Buffer[] = []
    let changed = false
    while (r.left > 0) {
      const begin = r.at
      const total = r.u16()
      r.at = begin
      const pdu = r.take(total === flowPdu ? 8 : total)
      if (total === flowPdu) {
        parts.push(pdu)
        continue
      }
      const written = this.#shareControl(from, pdu)
      if (written !== undefined) changed = true
      parts.push(written ?? pdu)
    }
    if (!changed) this.#forward(from, bytes)
    else
      this.#outboxes[from === 'client' ? 'server' : 'client'].add(
        mcsData(from, user, this.#options.ioChannel, ...parts),
      )
  }

  /** What goes on instead; undefined: the PDU itself. */
  #shareControl(from: From, pdu: Buffer): Buffer | undefined {
    const type = new Reader(pdu, 2).u16() & 15
    switch (type) {
      case shareType.demandActive:
        if (from !== 'server') throw new RdpError('a message of the other side')
        return this.#demand(pdu)
      case shareType.confirmActive:
        if (from !== 'client') throw new RdpError('a message of the other side')
        return rewriteCapabilities(pdu).bytes
      case shareType.deactivateAll:
        return undefined
      case shareType.data:
        this.#shareData(from, pdu)
        return undefined
      case shareType.redirection:
        throw new RdpError('the target sends clients to another host, which is not supported')
      default:
        throw new RdpError(`a message of an unknown kind (${type})`)
    }
  }

  #demand(pdu: Buffer): Buffer {
    const { port, target, signedIn } = this.#options
    const { bytes, desktop, shareId } = rewriteCapabilities(pdu)
    if (desktop === undefined) throw new RdpError('it does not say how large the desktop is')
    this.#shareId = shareId
    this.#recorder.size(desktop.width, desktop.height)
    if (this.#phase === 'licensing') {
      this.#phase = 'active'
      signedIn()
      port.started({ user: target.user })
    }
    return bytes
  }

  #shareData(from: From, pdu: Buffer): void {
    const r = new Reader(pdu, 14)
    const type = r.u8()
    if ((r.u8() & 0x20) !== 0) throw new RdpError('it compresses although nobody agreed to it')
    const body = pdu.subarray(shareDataHeader)
    if (from === 'server' && type === updateType.update) this.#updates.slow(body)
    if (from === 'client' && type === updateType.input) this.#recorder.input((into) => countSlow(body, into))
  }
}

function set(stream: TLSSocket, flowing: boolean): void {
  if (flowing === !stream.isPaused()) return
  if (flowing) stream.resume()
  else stream.pause()
}
