/**
 * The first packet of an RDP client (MS-RDPBCGR 2.2.1.1), in the clear before TLS begins:
 *
 * ```
 *  TPKT  03 00 length(2)            length counts these four bytes
 *  X.224 li e0 dst(2) src(2) class  connection request
 *  text  "Cookie: …" CR LF          who comes, optional
 *  neg   01 flags 08 00 protocols   optional
 * ```
 */
export type Entry =
  | { kind: 'more' }
  /** `user`: what follows `Cookie: mstshash=`, empty where there is none. */
  | { kind: 'request'; length: number; user: string }
  | { kind: 'invalid' }

/** Longest request that is read: real ones take some 50 to 300 bytes. */
const maxRequest = 1024

const requestHead = 11
const cookieStart = 'Cookie: mstshash='

/** Reads the request at the start of `bytes`; `more` until it is all there. */
export function readEntry(bytes: Buffer): Entry {
  if (bytes.length < 4) return bytes.length > 0 && bytes[0] !== 3 ? { kind: 'invalid' } : { kind: 'more' }
  const length = bytes.readUInt16BE(2)
  if (bytes[0] !== 3 || length < requestHead || length > maxRequest) return { kind: 'invalid' }
  if (bytes.length < length) return { kind: 'more' }
  const isRequest = ((bytes[5] ?? 0) & 0xf0) === 0xe0
  if (!isRequest || bytes[4] !== length - 5) return { kind: 'invalid' }
  const text = bytes.toString('latin1', requestHead, length)
  const end = text.indexOf('\r\n')
  if (end < 0 || !text.startsWith(cookieStart)) return { kind: 'request', length, user: '' }
  return { kind: 'request', length, user: text.slice(cookieStart.length, end) }
}
