/**
 * Codec of the SSH connection and authentication messages (RFC 4252, 4254), pure, over decrypted payloads:
 *
 *     byte type | fields…      string = uint32 length | bytes, boolean = one byte, numbers big-endian
 *
 * Every length is checked against the payload, which the transport bounds to 35,000 bytes. Data is a view, never a copy.
 */
export const message = {
  disconnect: 1,
  serviceRequest: 5,
  serviceAccept: 6,
  extInfo: 7,
  userauthRequest: 50,
  userauthFailure: 51,
  userauthSuccess: 52,
  userauthBanner: 53,
  userauthInfoRequest: 60,
  userauthInfoResponse: 61,
  globalRequest: 80,
  requestSuccess: 81,
  requestFailure: 82,
  channelOpen: 90,
  channelOpenConfirmation: 91,
  channelOpenFailure: 92,
  channelWindowAdjust: 93,
  channelData: 94,
  channelExtendedData: 95,
  channelEof: 96,
  channelClose: 97,
  channelRequest: 98,
  channelSuccess: 99,
  channelFailure: 100,
} as const

/** Reason codes of a refused channel. */
export const openFailure = { prohibited: 1, connectFailed: 2, unknownType: 3, resourceShortage: 4 } as const

/** The one extended data type that exists: stderr. */
export const stderrType = 1

/** The peer sent something that is not SSH as the RFCs have it. */
export class FrameError extends Error {}

/** Reads fields in order; throws FrameError when the payload is too short or a string is not UTF-8. */
export class Reader {
  readonly #buffer: Buffer
  #at: number

  constructor(buffer: Buffer, at = 0) {
    this.#buffer = buffer
    this.#at = at
  }

  byte(): number {
    const value = this.#buffer[this.#at]
    if (value === undefined) throw new FrameError('a message ends too early')
    this.#at += 1
    return value
  }

  bool(): boolean {
    return this.byte() !== 0
  }

  u32(): number {
    if (this.#at + 4 > this.#buffer.length) throw new FrameError('a message ends too early')
    const value = this.#buffer.readUInt32BE(this.#at)
    this.#at += 4
    return value
  }

  bytes(): Buffer {
    const length = this.u32()
    const end = this.#at + length
    if (end > this.#buffer.length) throw new FrameError('a length reaches past the end of its message')
    const value = this.#buffer.subarray(this.#at, end)
    this.#at = end
    return value
  }

  text(): string {
    return utf8(this.bytes())
  }

  rest(): Buffer {
    const value = this.#buffer.subarray(this.#at)
    this.#at = this.#buffer.length
    return value
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Strict UTF-8: what is decided must be, byte for byte, what is forwarded. Throws FrameError. */
export function utf8(bytes: Buffer): string {
  try {
    return decoder.decode(bytes)
  } catch {
    throw new FrameError('text that is not UTF-8')
  }
}

export type ConnectionMessage =
  | { type: 'global-request'; name: string; wantReply: boolean; data: Buffer }
  | { type: 'request-reply'; ok: boolean }
  | { type: 'open'; channelType: string; sender: number; window: number; maxPacket: number; data: Buffer }
  | { type: 'open-confirmed'; recipient: number; sender: number; window: number; maxPacket: number }
  | { type: 'open-failed'; recipient: number; code: number; description: string }
  | { type: 'window'; recipient: number; bytes: number }
  | { type: 'data'; recipient: number; data: Buffer }
  | { type: 'extended-data'; recipient: number; kind: number; data: Buffer }
  | { type: 'eof'; recipient: number }
  | { type: 'close'; recipient: number }
  | { type: 'request'; recipient: number; name: string; wantReply: boolean; data: Buffer }
  | { type: 'reply'; recipient: number; ok: boolean }

/** Decodes a payload of type 80 and above; undefined for a type that does not exist. */
export function decodeConnection(payload: Buffer): ConnectionMessage | undefined {
  const r = new Reader(payload, 1)
  switch (payload[0]) {
    case message.globalRequest:
      return { type: 'global-request', name: r.text(), wantReply: r.bool(), data: r.rest() }
    case message.requestSuccess:
      return { type: 'request-reply', ok: true }
    case message.requestFailure:
      return { type: 'request-reply', ok: false }
    case message.channelOpen:
      return {
        type: 'open',
        channelType: r.text(),
        sender: r.u32(),
        window: r.u32(),
        maxPacket: r.u32(),
        data: r.rest(),
      }
    case message.channelOpenConfirmation:
      return { type: 'open-confirmed', recipient: r.u32(), sender: r.u32(), window: r.u32(), maxPacket: r.u32() }
    case message.channelOpenFailure:
      return { type: 'open-failed', recipient: r.u32(), code: r.u32(), description: r.bytes().toString() }
    case message.channelWindowAdjust:
      return { type: 'window', recipient: r.u32(), bytes: r.u32() }
    case message.channelData:
      return { type: 'data', recipient: r.u32(), data: r.bytes() }
    case message.channelExtendedData:
      return { type: 'extended-data', recipient: r.u32(), kind: r.u32(), data: r.bytes() }
    case message.channelEof:
      return { type: 'eof', recipient: r.u32() }
    case message.channelClose:
      return { type: 'close', recipient: r.u32() }
    case message.channelRequest:
      return { type: 'request', recipient: r.u32(), name: r.text(), wantReply: r.bool(), data: r.rest() }
    case message.channelSuccess:
      return { type: 'reply', recipient: r.u32(), ok: true }
    case message.channelFailure:
      return { type: 'reply', recipient: r.u32(), ok: false }
    default:
      return undefined
  }
}

/** A field to encode: a number is a uint32, a boolean a byte, text and Buffers are strings with their length. */
export type Field = number | boolean | string | Buffer

/** Encodes a message of fields in order; `tail` follows as it is, without a length. */
export function encode(type: number, fields: readonly Field[], tail?: Buffer): Buffer {
  const parts: Buffer[] = [Buffer.from([type])]
  for (const field of fields) {
    if (typeof field === 'boolean') parts.push(Buffer.from([field ? 1 : 0]))
    else if (typeof field === 'number') parts.push(u32(field))
    else {
      const bytes = typeof field === 'string' ? Buffer.from(field) : field
      parts.push(u32(bytes.length), bytes)
    }
  }
  if (tail !== undefined) parts.push(tail)
  return Buffer.concat(parts)
}

function u32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4)
  bytes.writeUInt32BE(value)
  return bytes
}

export function channelRequest(recipient: number, name: string, wantReply: boolean, data?: Buffer): Buffer {
  return encode(message.channelRequest, [recipient, name, wantReply], data)
}

/** The type-specific part of a request: fields alone. */
export function requestData(fields: readonly Field[], tail?: Buffer): Buffer {
  return encode(0, fields, tail).subarray(1)
}
