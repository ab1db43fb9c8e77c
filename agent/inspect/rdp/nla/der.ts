import { RdpError, type Reader } from '../frames.ts'

/** The little of DER that CredSSP needs. */

export const tag = { integer: 0x02, bitString: 0x03, octets: 0x04, sequence: 0x30 } as const

/** `[n]`, explicit. */
export function context(n: number): number {
  return 0xa0 | n
}

export function der(kind: number, ...content: readonly Buffer[]): Buffer {
  const length = content.reduce((sum, part) => sum + part.length, 0)
  const head =
    length < 0x80 ? [kind, length] : length < 0x100 ? [kind, 0x81, length] : [kind, 0x82, length >> 8, length & 255]
  if (length > 0xffff) throw new RdpError('a message would become too long')
  return Buffer.concat([Buffer.from(head), ...content])
}

/** Not negative, below 128. */
export function derInteger(value: number): Buffer {
  return der(tag.integer, Buffer.from([value]))
}

interface Value {
  tag: number
  content: Buffer
}

/** The next value; throws RdpError on what is none. */
export function readValue(r: Reader): Value {
  const kind = r.u8()
  const first = r.u8()
  if (first < 0x80) return { tag: kind, content: r.take(first) }
  if (first === 0x81) return { tag: kind, content: r.take(r.u8()) }
  if (first === 0x82) return { tag: kind, content: r.take(r.u16be()) }
  throw new RdpError('a value is too long')
}

/** The content of the next value, which has to be of this kind. */
export function readContent(r: Reader, kind: number): Buffer {
  const value = readValue(r)
  if (value.tag !== kind) throw new RdpError('a value is of another kind than it should be')
  return value.content
}

/** How long the value at the beginning is, with its head; undefined while that can't be told. */
export function valueLength(bytes: Buffer): number | undefined {
  const [, first, second, third] = bytes
  if (first === undefined) return undefined
  if (first < 0x80) return first + 2
  if (first === 0x81) return second === undefined ? undefined : second + 3
  if (first === 0x82) return second === undefined || third === undefined ? undefined : ((second << 8) | third) + 4
  throw new RdpError('a value is too long')
}
