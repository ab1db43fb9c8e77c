/**
 * RDCleanPath: how a viewer in a page asks for an RDP connection whose TLS somebody else ends (Devolutions; one DER object each way).
 *
 * ```
 *  SEQUENCE { [0] version INTEGER (3390)  [2] destination  [3] proxy authorisation  [5] preconnection blob   UTF8String
 *             [6] X.224 PDU OCTET STRING  [7] certificates SEQUENCE OF OCTET STRING  [9] server address      UTF8String }
 * ```
 *
 * Every field is explicitly tagged. The request carries the Connection Request; the answer the Connection Confirm.
 */
const version = 3390
const tags = { sequence: 0x30, integer: 0x02, octets: 0x04, text: 0x0c } as const
const field = (n: number): number => 0xa0 + n

/** Longest request that is read. */
const maxRequest = 4096

/** The X.224 Connection Request in a viewer's first message; undefined when it is not one. Never throws. */
export function readCleanPath(message: Buffer): Buffer | undefined {
  if (message.length > maxRequest) return undefined
  const whole = element(message, 0)
  if (whole === undefined || whole.tag !== tags.sequence || whole.end !== message.length) return undefined
  let known: number | undefined
  let request: Buffer | undefined
  for (let at = 0; at < whole.value.length; ) {
    const tagged = element(whole.value, at)
    const inner = tagged === undefined ? undefined : element(tagged.value, 0)
    if (tagged === undefined || inner === undefined) return undefined
    if (tagged.tag === field(0) && inner.tag === tags.integer) known = number(inner.value)
    if (tagged.tag === field(6) && inner.tag === tags.octets) request = inner.value
    at = tagged.end
  }
  return known === version ? request : undefined
}

/** The answer: the target agreed, TLS is up, and these are its certificates (DER), its own first. */
export function writeCleanPath(confirm: Buffer, certificates: readonly Buffer[], address: string): Buffer {
  const chain = certificates.map((certificate) => encode(tags.octets, certificate))
  return encode(
    tags.sequence,
    encode(field(0), encode(tags.integer, Buffer.from([version >> 8, version & 0xff]))),
    encode(field(6), encode(tags.octets, confirm)),
    encode(field(7), encode(tags.sequence, ...chain)),
    encode(field(9), encode(tags.text, Buffer.from(address))),
  )
}

interface Element {
  tag: number
  value: Buffer
  /** Where the next one begins. */
  end: number
}

/** A DER element of at most 64 KiB; undefined when it is not all there. */
function element(bytes: Buffer, at: number): Element | undefined {
  const tag = bytes[at]
  const first = bytes[at + 1]
  if (tag === undefined || first === undefined) return undefined
  const more = first < 0x80 ? 0 : first - 0x80
  if (more > 2 || first === 0x80 || at + 2 + more > bytes.length) return undefined
  const length = more === 0 ? first : bytes.readUIntBE(at + 2, more)
  const start = at + 2 + more
  const end = start + length
  return end > bytes.length ? undefined : { tag, value: bytes.subarray(start, end), end }
}

function number(value: Buffer): number | undefined {
  return value.length < 1 || value.length > 4 ? undefined : value.readUIntBE(0, value.length)
}

function encode(tag: number, ...parts: readonly Buffer[]): Buffer {
  const value = Buffer.concat(parts)
  const { length } = value
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), value])
  if (length < 0x100) return Buffer.concat([Buffer.from([tag, 0x81, length]), value])
  if (length > 0xffff) throw new RangeError('longer than any answer')
  return Buffer.concat([Buffer.from([tag, 0x82, length >> 8, length & 0xff]), value])
}
