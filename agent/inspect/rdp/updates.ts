import { mostFragmentBytes } from './capabilities.ts'
import { RdpError, Reader } from './frames.ts'

/**
 * What a target draws, found in the stream: bitmap updates go to `draw`, pointers and the like pass. Anything else that draws
 * was taken out of the negotiation, so a target that sends it is refused: what can't be recorded is not shown.
 */
export class UpdateReader {
  readonly #draw: (update: Buffer) => void
  #fragments: { code: number; parts: Buffer[]; bytes: number } | undefined

  /** `draw` gets a bitmap update from `numberRectangles` on, as a view. */
  constructor(draw: (update: Buffer) => void) {
    this.#draw = draw
  }

  /** A fast-path PDU of the target. `header` is its first byte. */
  fast(header: number, payload: Buffer): void {
    if ((header & 0xc0) !== 0) throw new RdpError('the target encrypts although nobody agreed to it')
    const r = new Reader(payload)
    while (r.left > 0) {
      const kind = r.u8()
      if (kind >> 6 === 2 && (r.u8() & 0x20) !== 0) {
        throw new RdpError('the target compresses although nobody agreed to it')
      }
      this.#fragment(kind & 15, (kind >> 4) & 3, r.take(r.u16()))
    }
  }

  /** A slow-path update; `data` begins at `updateType`. */
  slow(data: Buffer): void {
    const type = new Reader(data).u16()
    if (type > 3) throw new RdpError(`the target draws in an unknown way (${type})`)
    // Orders have two bytes of padding before their count.
    this.#update(type, type === 0 ? data.subarray(4) : data)
  }

  #fragment(code: number, place: number, data: Buffer): void {
    if (place === 0) {
      if (this.#fragments !== undefined) throw new RdpError('a drawing of the target does not end')
      this.#update(code, data)
      return
    }
    if ((place === 2) !== (this.#fragments === undefined)) throw new RdpError('a drawing of the target is out of order')
    this.#fragments ??= { code, parts: [], bytes: 0 }
    const all = this.#fragments
    all.bytes += data.length
    if (all.code !== code || all.bytes > mostFragmentBytes) throw new RdpError('a drawing of the target does not end')
    all.parts.push(Buffer.from(data))
    if (place !== 1) return
    this.#fragments = undefined
    this.#update(code, Buffer.concat(all.parts))
  }

  #update(code: number, data: Buffer): void {
    switch (code) {
      case 0:
        if (new Reader(data).u16() === 0) return
        throw new RdpError('the target draws with orders, which it was told not to use')
      case 1:
        this.#draw(data.subarray(2))
        return
      case 2:
      case 3:
      case 5:
      case 6:
      case 8:
      case 9:
      case 10:
      case 11:
      case 12:
        return
      default:
        throw new RdpError(`the target draws in a way that it was told not to use (${code})`)
    }
  }
}
