import {
  newestMinor,
  type StartupPacket as Packet,
  readStartup,
  type StartupFault,
} from '../../shared/postgres/startup.ts'

export { maxStartupBytes } from '../../shared/postgres/startup.ts'

/** What a client says first. One that changes its mind may send a Terminate message ('X', length 4) instead. */
export type StartupPacket =
  | Exclude<Packet, { kind: 'cancel' }>
  | { kind: 'cancel'; processId: number; secret: Buffer }
  | { kind: 'terminate' }

export interface Taken<T> {
  packet: T
  /** Bytes of the packet. */
  size: number
}

/** A session token has 47 characters. */
export const maxPasswordBytes = 1_024

const protocolMajor = 3

/** What a peer sent is no start-up of this protocol; the message is for people. */
export class StartupError extends Error {
  override readonly name = 'StartupError'
}

const goodbye = Buffer.from([0x58, 0, 0, 0, 4])

/** Takes one packet off the front; undefined while it is not complete. Throws StartupError. */
export function takeStartup(bytes: Buffer): Taken<StartupPacket> | undefined {
  if (bytes.byteLength < 4) return undefined
  if (bytes.byteLength >= goodbye.length && bytes.subarray(0, goodbye.length).equals(goodbye)) {
    return { packet: { kind: 'terminate' }, size: goodbye.length }
  }
  // All but the last byte of a goodbye may be one.
  if (bytes.byteLength === 4 && bytes.equals(goodbye.subarray(0, 4))) return undefined
  const read = readStartup(bytes)
  if (read.kind === 'partial') return undefined
  if (read.kind === 'fault') throw new StartupError(wordsFor(read.fault))
  const { packet, size } = read
  return { packet: packet.kind === 'cancel' ? { ...packet, secret: Buffer.from(packet.secret) } : packet, size }
}

function wordsFor(fault: StartupFault): string {
  switch (fault.kind) {
    case 'length':
      return 'This port speaks the PostgreSQL protocol, and that was something else.'
    case 'protocol':
      return `Protocol ${fault.major}.${fault.minor} is not served here; 3.0 and newer is.`
    case 'cancel':
      return 'The cancel request is malformed.'
    case 'parameters':
      return 'The start-up message is malformed.'
    default:
      return fault satisfies never
  }
}

/**
 * A client that asks for a newer protocol, or for extensions: the NegotiateProtocolVersion to answer, and the StartupMessage
 * that says what is left. Undefined where there is nothing to negotiate.
 */
export function negotiate({
  minor,
  parameters,
}: Extract<StartupPacket, { kind: 'startup' }>): { answer: Buffer; startup: Buffer } | undefined {
  const entries = [...parameters]
  const unknown = entries.map(([name]) => name).filter((name) => name.startsWith('_pq_.'))
  if (minor <= newestMinor && unknown.length === 0) return undefined
  const version = int32((protocolMajor << 16) | Math.min(minor, newestMinor))
  const names = Buffer.from(unknown.map((name) => `${name}\0`).join(''))
  const kept = entries.filter(([name]) => !name.startsWith('_pq_.'))
  const words = Buffer.from(`${kept.map(([name, value]) => `${name}\0${value}\0`).join('')}\0`)
  return {
    answer: Buffer.concat([Buffer.from('v'), int32(12 + names.length), version, int32(unknown.length), names]),
    startup: Buffer.concat([int32(8 + words.length), version, words]),
  }
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

/** A TLS handshake begins with this byte, and no start-up packet does: it would be too long. */
const handshake = 0x16

/** Whether the client begins with TLS (`sslnegotiation=direct`); nothing is taken. Undefined before the first byte. */
export function takeDirectTls(bytes: Buffer): Taken<boolean> | undefined {
  return bytes.byteLength === 0 ? undefined : { packet: bytes[0] === handshake, size: 0 }
}

/** Takes a PasswordMessage (`p`, length, text, NUL) off the front; undefined while it is not complete. Throws StartupError. */
export function takePassword(bytes: Buffer): Taken<string> | undefined {
  if (bytes.byteLength === 0) return undefined
  if (bytes[0] !== 0x70) throw new StartupError('A password was asked for, and something else came.')
  if (bytes.byteLength < 5) return undefined
  const size = bytes.readUInt32BE(1) + 1
  if (size < 6 || size > maxPasswordBytes) throw new StartupError('The password is not a session token.')
  if (bytes.byteLength < size) return undefined
  if (bytes[size - 1] !== 0) throw new StartupError('The password message is malformed.')
  return { packet: bytes.toString('utf8', 5, size - 1), size }
}

/** AuthenticationCleartextPassword. */
export const askPassword = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3])

/** A FATAL ErrorResponse; the server closes after it. */
export function fatal(code: string, message: string, hint: string | undefined): Buffer {
  const fields = [
    ['S', 'FATAL'],
    ['V', 'FATAL'],
    ['C', code],
    ['M', message],
    ...(hint === undefined ? [] : [['H', hint]]),
  ]
  const body = Buffer.from(`${fields.map(([name, value]) => `${name}${value?.replaceAll('\0', '')}\0`).join('')}\0`)
  const head = Buffer.alloc(5)
  head.write('E')
  head.writeUInt32BE(body.byteLength + 4, 1)
  return Buffer.concat([head, body])
}
