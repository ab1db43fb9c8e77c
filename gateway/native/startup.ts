/**
 * The packets of PostgreSQL's start-up phase, which carry no type byte:
 *
 *   length (4, itself included) · code (4) · rest
 *
 *   80877103 SSLRequest   80877104 GSSENCRequest   80877102 CancelRequest: process id (4), secret (4 to 256)
 *   3 << 16 | minor       StartupMessage: name NUL value NUL … NUL
 *
 * A client that changes its mind may send a Terminate message ('X', length 4) in place of them.
 */
export type StartupPacket =
  | { kind: 'ssl' }
  | { kind: 'gssenc' }
  | { kind: 'cancel'; processId: number; secret: Buffer }
  | { kind: 'terminate' }
  | { kind: 'startup'; minor: number; parameters: ReadonlyMap<string, string> }

export interface Taken<T> {
  packet: T
  /** Bytes of the packet. */
  size: number
}

/** PostgreSQL itself reads no longer start-up packet. */
export const maxStartupBytes = 10_000
/** A session token has 47 characters. */
export const maxPasswordBytes = 1_024

const protocolMajor = 3
/** The newest that is spoken is 3.2, of PostgreSQL 18. */
const newestMinor = 2

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
  const size = bytes.readUInt32BE(0)
  // All but the last byte of a goodbye may be one.
  if (bytes.byteLength === 4 && bytes.equals(goodbye.subarray(0, 4))) return undefined
  if (size < 8 || size > maxStartupBytes) {
    throw new StartupError('This port speaks the PostgreSQL protocol, and that was something else.')
  }
  if (bytes.byteLength < size) return undefined
  return { packet: readStartup(bytes.readUInt32BE(4), bytes.subarray(8, size)), size }
}

function readStartup(code: number, rest: Buffer): StartupPacket {
  switch (code) {
    case 80_877_103:
      return { kind: 'ssl' }
    case 80_877_104:
      return { kind: 'gssenc' }
    case 80_877_102: {
      if (rest.byteLength < 8 || rest.byteLength > 260) throw new StartupError('The cancel request is malformed.')
      return { kind: 'cancel', processId: rest.readInt32BE(0), secret: Buffer.from(rest.subarray(4)) }
    }
  }
  if (code >>> 16 !== protocolMajor) {
    throw new StartupError(`Protocol ${code >>> 16}.${code & 0xffff} is not served here; 3.0 and newer is.`)
  }
  return { kind: 'startup', minor: code & 0xffff, parameters: readParameters(rest) }
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

function readParameters(rest: Buffer): ReadonlyMap<string, string> {
  const malformed = new StartupError('The start-up message is malformed.')
  if (rest.at(-1) !== 0) throw malformed
  const parameters = new Map<string, string>()
  const words = rest.subarray(0, -1).toString('utf8').split('\0')
  // Each pair ends in NUL, so what follows the last is empty.
  if (words.pop() !== '' || words.length % 2 !== 0) throw malformed
  for (let i = 0; i < words.length; i += 2) {
    const name = words[i] ?? ''
    // Said twice, one reader would believe the first and another the last.
    if (name === '' || parameters.has(name)) throw malformed
    parameters.set(name, words[i + 1] ?? '')
  }
  return parameters
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
