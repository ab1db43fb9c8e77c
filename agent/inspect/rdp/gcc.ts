import { per, perLength, RdpError, Reader, slow, slowPayload, u16, u32 } from './frames.ts'

/**
 * The basic settings exchange: MCS Connect Initial and Connect Response (BER), around a GCC Conference (PER), around data
 * blocks of `type:u16 length:u16 …`. What the inspector does not mean to pass is not passed: unknown blocks are left out.
 */

/** A static virtual channel, as a client asks for it. */
export interface Channel {
  name: string
  options: number
}

export interface ClientSettings {
  width: number
  height: number
  channels: readonly Channel[]
  /** Whatever surrounds the GCC blocks, to be written again. */
  readonly envelope: { before: Buffer; prelude: Buffer }
  readonly core: Buffer
  readonly monitors: Buffer | undefined
}

export interface ServerSettings {
  ioChannel: number
  /** In the order in which they were asked for; 0: not given. */
  channels: readonly number[]
  readonly envelope: { before: Buffer; prelude: Buffer }
  readonly core: Buffer
}

const block = { clientCore: 0xc001, clientSecurity: 0xc002, clientNet: 0xc003, clientMonitor: 0xc005 } as const
const serverBlock = { core: 0x0c01, security: 0x0c02, net: 0x0c03 } as const
/** As many as the protocol has. */
const mostChannels = 31
const coreLength = 212
/** Pictures other than bitmaps, 32 bits a pixel, UDP, automatic detection, heartbeats, joining without asking. */
const refusedEarlyFlags = 0x0002 | 0x0080 | 0x0100 | 0x0400 | 0x0800
const early = { errorInfo: 0x0001 } as const
const channelCompression = 0x00800000 | 0x00400000

const objectId = Buffer.from([0, 5, 0, 0x14, 0x7c, 0, 1])
const createRequest = Buffer.from([0, 8, 0, 0x10, 0, 1, 0xc0, 0, 0x44, 0x75, 0x63, 0x61])
const key = Buffer.from('McDn')

/** Parses a client's MCS Connect Initial, a whole PDU. */
export function parseClientSettings(pdu: Buffer): ClientSettings {
  const r = new Reader(slowPayload(pdu))
  const body = new Reader(ber(r, 0x65, true))
  const begin = body.at
  for (const tag of [4, 4, 1, 0x30, 0x30, 0x30]) ber(body, tag)
  const before = body.bytes.subarray(begin, body.at)
  const gcc = new Reader(ber(body, 4))
  expect(gcc, objectId)
  // IronRDP counts wrong here, as some servers do; what is read is bounded by what surrounds it.
  perLength(gcc)
  const inner = new Reader(gcc.rest())
  expect(inner, createRequest)
  const blocks = blocksOf(inner.take(perLength(inner)))
  const core = blocks.get(block.clientCore)
  if (core === undefined || core.length < 128) throw new RdpError('the client says nothing of itself')
  const net = blocks.get(block.clientNet)
  return {
    width: core.readUInt16LE(4),
    height: core.readUInt16LE(6),
    channels: net === undefined ? [] : channelsOf(net),
    envelope: { before, prelude: Buffer.concat([objectId]) },
    core,
    monitors: blocks.get(block.clientMonitor),
  }
}

function channelsOf(net: Buffer): Channel[] {
  const r = new Reader(net)
  const count = r.u32()
  if (count > mostChannels) throw new RdpError('the client asks for too many channels')
  return Array.from({ length: count }, () => {
    const name = r.take(8).toString('latin1')
    const end = name.indexOf('\0')
    return { name: (end < 0 ? name : name.slice(0, end)).toLowerCase(), options: r.u32() }
  })
}

/** The PDU for the target: only these channels, and nothing that leads to pictures that can't be recorded. */
export function clientSettings(settings: ClientSettings, channels: readonly Channel[], selected: number): Buffer {
  const { envelope, monitors } = settings
  const core = Buffer.alloc(Math.max(coreLength, settings.core.length))
  settings.core.copy(core)
  // Up to 24 bits a pixel: interleaved run lengths, or none.
  if (core.readUInt16LE(136) > 24) core.writeUInt16LE(24, 136)
  core.writeUInt16LE(core.readUInt16LE(138) & ~8, 138)
  core.writeUInt16LE((core.readUInt16LE(140) & ~refusedEarlyFlags) | early.errorInfo, 140)
  core.writeUInt32LE(selected, 208)
  const net = Buffer.concat([
    u32(channels.length),
    ...channels.flatMap(({ name, options }) => [channelName(name), u32((options & ~channelCompression) >>> 0)]),
  ])
  const blocks = Buffer.concat([
    blockOf(block.clientCore, core),
    blockOf(block.clientSecurity, Buffer.alloc(8)),
    ...(channels.length === 0 ? [] : [blockOf(block.clientNet, net)]),
    ...(monitors === undefined ? [] : [blockOf(block.clientMonitor, monitors)]),
  ])
  const conference = Buffer.concat([createRequest, per(blocks.length), blocks])
  const gcc = Buffer.concat([objectId, per(conference.length), conference])
  return slow(berOf(0x65, true, Buffer.concat([envelope.before, berOf(4, false, gcc)])))
}

function channelName(name: string): Buffer {
  const out = Buffer.alloc(8)
  out.write(name, 0, 7, 'latin1')
  return out
}

/** Parses a target's MCS Connect Response. Throws where it refuses, or would encrypt by itself. */
export function parseServerSettings(pdu: Buffer): ServerSettings {
  const r = new Reader(slowPayload(pdu))
  const body = new Reader(ber(r, 0x66, true))
  const begin = body.at
  const result = ber(body, 10)
  if (result[0] !== 0) throw new RdpError(`the target refused the connection (MCS result ${result[0] ?? '?'})`)
  ber(body, 2)
  ber(body, 0x30)
  const before = body.bytes.subarray(begin, body.at)
  const gcc = new Reader(ber(body, 4))
  expect(gcc, objectId)
  // Some servers count wrong here, and clients read on to the end.
  perLength(gcc)
  const inner = gcc
  const start = inner.at
  inner.take(3)
  inner.take(inner.u8())
  inner.take(3)
  inner.take(1)
  expect(inner, key)
  const prelude = inner.bytes.subarray(start, inner.at)
  const blocks = blocksOf(inner.take(perLength(inner)))
  const core = blocks.get(serverBlock.core)
  const net = blocks.get(serverBlock.net)
  if (core === undefined || core.length < 4 || net === undefined)
    throw new RdpError('the target says nothing of itself')
  const security = blocks.get(serverBlock.security)
  if (security !== undefined && new Reader(security).u32() !== 0) {
    throw new RdpError('the target would encrypt inside of TLS, which can not be inspected')
  }
  const n = new Reader(net)
  const ioChannel = n.u16()
  const count = n.u16()
  if (count > mostChannels) throw new RdpError('the target gives too many channels')
  return {
    ioChannel,
    channels: Array.from({ length: count }, () => n.u16()),
    envelope: { before, prelude },
    core,
  }
}

/** The PDU for the client. `requested`: the protocols that it offered, which it compares with what it hears here. */
export function serverSettings(settings: ServerSettings, channels: readonly number[], requested: number): Buffer {
  const { envelope, ioChannel } = settings
  const core = Buffer.concat([settings.core.subarray(0, 4), u32(requested), u32(0)])
  const padded = channels.length % 2 === 1 ? [...channels, 0] : channels
  const blocks = Buffer.concat([
    blockOf(serverBlock.core, core),
    blockOf(serverBlock.net, Buffer.concat([u16(ioChannel), u16(channels.length), ...padded.map(u16)])),
    blockOf(serverBlock.security, Buffer.alloc(8)),
  ])
  const conference = Buffer.concat([envelope.prelude, per(blocks.length), blocks])
  const gcc = Buffer.concat([objectId, per(conference.length), conference])
  return slow(berOf(0x66, true, Buffer.concat([envelope.before, berOf(4, false, gcc)])))
}

function blocksOf(bytes: Buffer): Map<number, Buffer> {
  const blocks = new Map<number, Buffer>()
  const r = new Reader(bytes)
  while (r.left > 0) {
    const type = r.u16()
    const length = r.u16()
    if (length < 4) throw new RdpError('a settings block is shorter than its own header')
    // The second of a kind would be one that somebody else reads.
    if (blocks.has(type)) throw new RdpError('a settings block comes twice')
    blocks.set(type, r.take(length - 4))
  }
  return blocks
}

function blockOf(type: number, data: Buffer): Buffer {
  return Buffer.concat([u16(type), u16(data.length + 4), data])
}

/** The content of a BER value. `application`: its tag is in two bytes. */
function ber(r: Reader, tag: number, application = false): Buffer {
  if (application && r.u8() !== 0x7f) throw new RdpError('no MCS connect message')
  if (r.u8() !== tag) throw new RdpError('an MCS connect message is not as it should be')
  const first = r.u8()
  if (first < 0x80) return r.take(first)
  if (first === 0x81) return r.take(r.u8())
  if (first === 0x82) return r.take(r.u16be())
  throw new RdpError('an MCS connect message is too long')
}

function berOf(tag: number, application: boolean, content: Buffer): Buffer {
  const length = Buffer.alloc(3)
  length[0] = 0x82
  length.writeUInt16BE(content.length, 1)
  return Buffer.concat([Buffer.from(application ? [0x7f, tag] : [tag]), length, content])
}

function expect(r: Reader, bytes: Buffer): void {
  if (!r.take(bytes.length).equals(bytes)) throw new RdpError('a GCC conference is not as it should be')
}
