import { Bytes, RdpError } from '../../../shared/rdp/bytes.ts'

/**
 * RDP on the wire (MS-RDPBCGR), inside TLS: two kinds of PDU, told apart by the first byte.
 *
 *   slow path   03 00 length:u16be | 02 F0 80 (X.224 Data) | MCS PDU (PER)           length counts the header too
 *   fast path   action:2 bits = 0 … | length: 1 byte, or 2 with 0x80 in the first | …
 *
 * Numbers inside of TPKT and MCS are big endian, those of RDP itself little endian.
 */

export { RdpError }

export type Pdu =
  | { kind: 'slow'; bytes: Buffer }
  /** `payload` begins behind the length. */
  | { kind: 'fast'; bytes: Buffer; payload: Buffer }

/** A TPKT length is 16 bits and a fast-path one 15: nothing longer ever waits here. */
const longestPdu = 0xffff

/** Cuts a stream into PDUs without copying those that lie whole in a chunk. Keeps less than one PDU between calls. */
export class PduSplitter {
  #rest: Buffer | undefined
  readonly #limit: number

  /** `limit`: the longest PDU that is taken, in bytes. */
  constructor(limit = longestPdu) {
    this.#limit = limit
  }

  /** Bytes that wait for the rest of their PDU. */
  get waiting(): number {
    return this.#rest?.length ?? 0
  }

  /** Throws RdpError on what is no PDU. */
  *push(chunk: Buffer): Generator<Pdu> {
    const input = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk])
    this.#rest = undefined
    let at = 0
    while (at < input.length) {
      const head = headOf(input, at)
      if (head === undefined || at + head.length > input.length) {
        if (head !== undefined && head.length > this.#limit) throw new RdpError('a message is too long')
        // A copy, or a few bytes would keep the whole chunk in memory.
        this.#rest = Buffer.from(input.subarray(at))
        return
      }
      if (head.length > this.#limit) throw new RdpError('a message is too long')
      const bytes = input.subarray(at, at + head.length)
      at += head.length
      yield head.slow ? { kind: 'slow', bytes } : { kind: 'fast', bytes, payload: bytes.subarray(head.header) }
    }
  }
}

function headOf(input: Buffer, at: number): { slow: boolean; header: number; length: number } | undefined {
  const first = input[at]
  if (first === undefined) return undefined
  if (first === 3) {
    if (at + 4 > input.length) return undefined
    const length = input.readUInt16BE(at + 2)
    if (length < 7) throw new RdpError('a message is shorter than its own header')
    return { slow: true, header: 4, length }
  }
  if ((first & 3) !== 0) throw new RdpError('a message is neither slow path nor fast path')
  const short = input[at + 1]
  if (short === undefined) return undefined
  if ((short & 0x80) === 0) {
    if (short < 3) throw new RdpError('a message is shorter than its own header')
    return { slow: false, header: 2, length: short }
  }
  const low = input[at + 2]
  if (low === undefined) return undefined
  const length = ((short & 0x7f) << 8) | low
  if (length < 4) throw new RdpError('a message is shorter than its own header')
  return { slow: false, header: 3, length }
}

/** The fields of a Buffer, and those that have other bytes first. */
export class Reader extends Bytes {
  declare readonly bytes: Buffer

  constructor(bytes: Buffer, at = 0) {
    super(bytes, at)
  }

  u16be(): number {
    return this.bytes.readUInt16BE(this.claim(2))
  }

  u32(): number {
    return this.bytes.readUInt32LE(this.claim(4))
  }

  override take(count: number): Buffer {
    const at = this.claim(count)
    return this.bytes.subarray(at, at + count)
  }

  override rest(): Buffer {
    return this.take(this.left)
  }
}

export function u16(value: number): Buffer {
  const out = Buffer.alloc(2)
  out.writeUInt16LE(value)
  return out
}

export function u32(value: number): Buffer {
  const out = Buffer.alloc(4)
  out.writeUInt32LE(value)
  return out
}

function u16be(value: number): Buffer {
  const out = Buffer.alloc(2)
  out.writeUInt16BE(value)
  return out
}

/** X.224 Data with a TPKT header around `payload`. */
export function slow(...payload: readonly Buffer[]): Buffer {
  const length = payload.reduce((sum, part) => sum + part.length, 7)
  if (length > longestPdu) throw new RdpError('a message would become too long')
  return Buffer.concat([Buffer.from([3, 0]), u16be(length), Buffer.from([2, 0xf0, 0x80]), ...payload])
}

/** What is inside of an X.224 Data PDU. */
export function slowPayload(bytes: Buffer): Buffer {
  if (bytes[4] !== 2 || bytes[5] !== 0xf0 || bytes[6] !== 0x80) throw new RdpError('a message is no X.224 data')
  return bytes.subarray(7)
}

// ── X.224 connection ─────────────────────────────────────────────────────────────────────────────────────────────────

/** Security protocols of the negotiation, as bits. */
export const protocol = { tls: 1, credssp: 2 } as const

export interface ConnectionRequest {
  /** `Cookie: mstshash=…`, or a routing token as it was sent. */
  cookie: { kind: 'user'; user: string } | { kind: 'token' } | undefined
  /** 0 where there is no negotiation request: plain RDP security only. */
  protocols: number
}

/** Parses the first PDU of a client. */
export function parseConnectionRequest(bytes: Buffer): ConnectionRequest {
  const r = new Reader(bytes, 4)
  const indicator = r.u8()
  if (indicator !== bytes.length - 5 || r.u8() !== 0xe0) throw new RdpError('no X.224 Connection Request')
  r.take(5)
  let cookie: ConnectionRequest['cookie']
  if (r.bytes[r.at] === 0x43 || (r.left > 0 && r.bytes[r.at] !== 1)) {
    const end = bytes.indexOf('\r\n', r.at, 'latin1')
    if (end < 0) throw new RdpError('a routing cookie without an end')
    const text = r.take(end - r.at).toString('latin1')
    r.take(2)
    const user = /^Cookie: mstshash=(.*)$/.exec(text)?.[1]
    cookie = user === undefined ? { kind: 'token' } : { kind: 'user', user }
  }
  if (r.left === 0) return { cookie, protocols: 0 }
  if (r.u8() !== 1) throw new RdpError('no RDP Negotiation Request')
  r.u8()
  if (r.u16() !== 8) throw new RdpError('an RDP Negotiation Request of another length')
  return { cookie, protocols: r.u32() }
}

/** `protocols` are offered to a target. */
export function connectionRequest(protocols: number): Buffer {
  const body = Buffer.concat([Buffer.from([0xe0, 0, 0, 0, 0, 0, 1, 0, 8, 0]), u32(protocols)])
  return Buffer.concat([Buffer.from([3, 0]), u16be(body.length + 5), Buffer.from([body.length]), body])
}

/** The answer to a client: TLS. Flag 1: extended client data blocks are taken. */
export function connectionConfirm(selected: number): Buffer {
  return confirm(2, 1, selected)
}

/** The answer to a client that can't be served. 1: it has to speak TLS. */
export function connectionFailure(code: number): Buffer {
  return confirm(3, 0, code)
}

function confirm(type: number, flags: number, value: number): Buffer {
  const body = Buffer.concat([Buffer.from([0xd0, 0, 0, 0x12, 0x34, 0, type, flags, 8, 0]), u32(value)])
  return Buffer.concat([Buffer.from([3, 0]), u16be(body.length + 5), Buffer.from([body.length]), body])
}

export type ConnectionConfirm = { kind: 'selected'; protocol: number } | { kind: 'failure'; code: number }

export function parseConnectionConfirm(bytes: Buffer): ConnectionConfirm {
  const r = new Reader(bytes, 4)
  if (r.u8() !== bytes.length - 5 || r.u8() !== 0xd0) throw new RdpError('no X.224 Connection Confirm')
  r.take(5)
  // A server that knows no negotiation speaks plain RDP security.
  if (r.left === 0) return { kind: 'selected', protocol: 0 }
  const type = r.u8()
  r.u8()
  if (r.u16() !== 8) throw new RdpError('an RDP Negotiation Response of another length')
  const value = r.u32()
  if (type === 2) return { kind: 'selected', protocol: value }
  if (type === 3) return { kind: 'failure', code: value }
  throw new RdpError('no RDP Negotiation Response')
}

// ── MCS (T.125) ──────────────────────────────────────────────────────────────────────────────────────────────────────

export type Mcs =
  | { kind: 'erect' }
  | { kind: 'attach' }
  | { kind: 'attached'; user: number }
  | { kind: 'join'; user: number; channel: number }
  | { kind: 'joined'; result: number; user: number; channel: number }
  | { kind: 'data'; from: 'client' | 'server'; user: number; channel: number; data: Buffer }
  | { kind: 'disconnect' }

const userBase = 1001
const mcsType = { erect: 1, disconnect: 8, attach: 10, attached: 11, join: 14, joined: 15, request: 25, indication: 26 }

/** Parses a domain PDU. */
export function parseMcs(payload: Buffer): Mcs {
  const r = new Reader(payload)
  const first = r.u8()
  switch (first >> 2) {
    case mcsType.erect:
      return { kind: 'erect' }
    case mcsType.disconnect:
      return { kind: 'disconnect' }
    case mcsType.attach:
      return { kind: 'attach' }
    case mcsType.attached: {
      const result = r.u8()
      if (result !== 0 || (first & 2) === 0) throw new RdpError('the target refused to attach the user')
      return { kind: 'attached', user: r.u16be() + userBase }
    }
    case mcsType.join:
      return { kind: 'join', user: r.u16be() + userBase, channel: r.u16be() }
    case mcsType.joined: {
      const result = r.u8()
      const user = r.u16be() + userBase
      const asked = r.u16be()
      return { kind: 'joined', result, user, channel: r.left >= 2 ? r.u16be() : asked }
    }
    case mcsType.request:
    case mcsType.indication: {
      const user = r.u16be() + userBase
      const channel = r.u16be()
      r.u8()
      const length = perLength(r)
      // More behind the data would be a second message in the first.
      if (length !== r.left) throw new RdpError('a message is of another length than it says')
      const from = first >> 2 === mcsType.request ? 'client' : 'server'
      return { kind: 'data', from, user, channel, data: r.rest() }
    }
    default:
      throw new RdpError(`an MCS message of an unknown kind (${first >> 2})`)
  }
}

/** A whole PDU that carries `data` on a channel, in the same direction as it came. */
export function mcsData(from: 'client' | 'server', user: number, channel: number, ...data: readonly Buffer[]): Buffer {
  const length = data.reduce((sum, part) => sum + part.length, 0)
  const type = from === 'client' ? mcsType.request : mcsType.indication
  const head = Buffer.alloc(8)
  head[0] = type << 2
  head.writeUInt16BE(user - userBase, 1)
  head.writeUInt16BE(channel, 3)
  head[5] = 0x70
  head.writeUInt16BE(length | 0x8000, 6)
  if (length > 0x3fff) throw new RdpError('a message would become too long')
  return slow(head, ...data)
}

/** Says yes to a channel that the target knows nothing of. */
export function mcsJoined(user: number, channel: number): Buffer {
  const body = Buffer.alloc(8)
  body[0] = (mcsType.joined << 2) | 2
  body.writeUInt16BE(user - userBase, 2)
  body.writeUInt16BE(channel, 4)
  body.writeUInt16BE(channel, 6)
  return slow(body)
}

/** Disconnect Provider Ultimatum; reason: the provider began it. */
export const mcsDisconnect = slow(Buffer.from([0x21, 0x80]))

/** PER: one byte, or two with 0x80 in the first. */
export function perLength(r: Reader): number {
  const first = r.u8()
  return (first & 0x80) === 0 ? first : ((first & 0x7f) << 8) | r.u8()
}

/** Always in two bytes, as mstsc has it for what may be long. */
export function per(length: number): Buffer {
  if (length > 0x3fff) throw new RdpError('a message would become too long')
  return u16be(length | 0x8000)
}
