/**
 * IronRDP 0.7 draws a tile whose bitmap is wider than its place (servers pad bitmaps to four pixels) with the wrong row length, so
 * that it comes out slanted. This makes such a place as wide as its bitmap. What is added, three columns at most, repeats the
 * last one. Bytes keep their number; everything but a fast-path bitmap update (MS-RDPBCGR 2.2.9.1.2) passes as it is.
 *
 * ```
 *  PDU     action:u8 length:u8 or u16 (big endian, top bit set)   update…
 *  update  code:4 fragment:2 compression:2   size:u16   data
 *  bitmap  type:u16 count:u16   { left top right bottom width height depth flags length:u16 } pixels …
 * ```
 */
export class WholeTiles {
  readonly #width: number
  #rest: Buffer = Buffer.alloc(0)

  /** `width`: the desktop's, in pixels; no place is made to reach over its edge. */
  constructor(width: number) {
    this.#width = width
  }

  /** Whole PDUs, as far as they have come. */
  push(bytes: Buffer): Buffer {
    const all = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes])
    let at = 0
    for (;;) {
      const pdu = pduAt(all, at)
      if (pdu === undefined || pdu.end > all.length) break
      if (pdu.fast) this.#widen(all, pdu.body, pdu.end)
      at = pdu.end
    }
    this.#rest = all.subarray(at)
    return all.subarray(0, at)
  }

  #widen(bytes: Buffer, from: number, end: number): void {
    let at = from
    while (at + 3 <= end) {
      const header = bytes.readUInt8(at)
      if (header >> 6 !== 0) return
      const size = bytes.readUInt16LE(at + 1)
      const fragment = (header >> 4) & 3
      const begins = fragment === 0 || fragment === 2
      if ((header & 15) === 1 && begins) this.#tiles(bytes, at + 3, Math.min(end, at + 3 + size))
      at += 3 + size
    }
  }

  #tiles(bytes: Buffer, from: number, end: number): void {
    if (from + 4 > end) return
    let at = from + 4
    for (let count = bytes.readUInt16LE(from + 2); count > 0 && at + 18 <= end; count -= 1) {
      const left = bytes.readUInt16LE(at)
      const right = left + bytes.readUInt16LE(at + 8) - 1
      if (right > bytes.readUInt16LE(at + 4) && right < this.#width) bytes.writeUInt16LE(right, at + 4)
      at += 18 + bytes.readUInt16LE(at + 16)
    }
  }
}

/** Where the PDU at `at` ends; undefined until its length is there. */
function pduAt(bytes: Buffer, at: number): { fast: boolean; body: number; end: number } | undefined {
  if (at + 4 > bytes.length) return undefined
  if (bytes[at] === 3) return { fast: false, body: at + 4, end: at + Math.max(4, bytes.readUInt16BE(at + 2)) }
  const short = bytes.readUInt8(at + 1)
  if (short < 0x80) return { fast: true, body: at + 2, end: at + Math.max(2, short) }
  return { fast: true, body: at + 3, end: at + Math.max(3, bytes.readUInt16BE(at + 1) & 0x7fff) }
}
