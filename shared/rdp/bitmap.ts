import { Bytes, RdpError } from './bytes.ts'

/**
 * Bitmap updates (MS-RDPBCGR 2.2.9.1.1.3.1.2): rectangles of pixels, bottom row first, plain or with interleaved run lengths
 * (3.1.9) at 8 to 24 bits a pixel, or as RDP 6.0 planes (MS-RDPEGDI 3.1.9) at 32.
 */

/** A rectangle to draw, in the target's encoding. `shown` of each row and column count. */
export interface EncodedPicture {
  x: number
  y: number
  width: number
  height: number
  shownWidth: number
  shownHeight: number
  /** Bits a pixel. */
  depth: number
  compressed: boolean
  source: Uint8Array
}

/** `pixels` has `width` × `height` of 0xRRGGBB, top row first. They are the scratch's: good until the next picture is decoded. */
export interface Picture extends Pick<EncodedPicture, 'x' | 'y' | 'width' | 'height' | 'shownWidth' | 'shownHeight'> {
  pixels: Uint32Array
}

/** Where pictures are decoded, one after the other: memory for each of them would be garbage faster than it is collected. */
export class Scratch {
  #pixels = new Uint32Array(64 * 64)

  /** What was there before is not cleared. */
  take(count: number): Uint32Array {
    if (this.#pixels.length < count) this.#pixels = new Uint32Array(count)
    return this.#pixels.subarray(0, count)
  }
}

/** The largest desktop that is recorded; a picture is no larger. */
export const mostPixels = 4096 * 2304

/** `data` begins at `numberRectangles`. Throws RdpError on what can't be decoded. */
export function* bitmapUpdate(data: Uint8Array): Generator<Picture> {
  const scratch = new Scratch()
  for (const picture of encodedPictures(data)) yield decoded(picture, scratch)
}

/** The rectangles of an update as they came; `source` is a view. Throws RdpError on what is no update. */
export function* encodedPictures(data: Uint8Array): Generator<EncodedPicture> {
  const r = new Bytes(data)
  const count = r.u16()
  for (let i = 0; i < count; i++) {
    const [left, top, right, bottom] = [r.u16(), r.u16(), r.u16(), r.u16()]
    const [width, height, depth, flags, length] = [r.u16(), r.u16(), r.u16(), r.u16(), r.u16()]
    if (width === 0 || height === 0 || right < left || bottom < top) throw new RdpError('a picture without a size')
    if (width * height > mostPixels) throw new RdpError('a picture is too large')
    const body = new Bytes(r.take(length))
    const compressed = (flags & 1) !== 0
    if (compressed && (flags & 0x400) === 0) body.take(8)
    yield {
      x: left,
      y: top,
      width,
      height,
      shownWidth: Math.min(width, right - left + 1),
      shownHeight: Math.min(height, bottom - top + 1),
      depth,
      compressed,
      source: body.rest(),
    }
  }
}

/** Throws RdpError on what can't be decoded. */
export function decoded({ depth, compressed, source, ...place }: EncodedPicture, scratch: Scratch): Picture {
  const { width, height } = place
  const pixels = scratch.take(width * height)
  decode(source, pixels, width, height, depth, compressed)
  turn(pixels, width, height)
  return { ...place, pixels }
}

/** Into `out`, bottom row first. Every pixel of it is written before it is read. */
function decode(
  source: Uint8Array,
  out: Uint32Array,
  width: number,
  height: number,
  depth: number,
  compressed: boolean,
): void {
  const color = colors.get(depth)
  if (color === undefined) throw new RdpError(`a picture of ${depth} bits a pixel`)
  if (!compressed) plain(source, out, width, height, color)
  else if (depth === 32) planes(source, out, width, height)
  else interleaved(source, out, width, color)
}

interface Color {
  bytes: number
  /** What "white" is before it is made RGB. */
  white: number
  rgb(value: number): number
}

const colors = new Map<number, Color>([
  [15, { bytes: 2, white: 0x7fff, rgb: (v) => (five(v >> 10) << 16) | (five(v >> 5) << 8) | five(v) }],
  [16, { bytes: 2, white: 0xffff, rgb: (v) => (five(v >> 11) << 16) | (six(v >> 5) << 8) | five(v) }],
  [24, { bytes: 3, white: 0xffffff, rgb: (v) => v }],
  [32, { bytes: 4, white: 0xffffff, rgb: (v) => v & 0xffffff }],
])

function five(value: number): number {
  const v = value & 31
  return (v << 3) | (v >> 2)
}

function six(value: number): number {
  const v = value & 63
  return (v << 2) | (v >> 4)
}

function plain(source: Uint8Array, out: Uint32Array, width: number, height: number, { bytes, rgb }: Color): void {
  const stride = (width * bytes + 3) & ~3
  if (source.length < stride * (height - 1) + width * bytes) throw new RdpError('a picture ends too early')
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) out[y * width + x] = rgb(readPixel(source, y * stride + x * bytes, bytes))
  }
}

function readPixel(source: Uint8Array, at: number, bytes: number): number {
  const low = (source[at] ?? 0) | ((source[at + 1] ?? 0) << 8)
  return bytes === 2 ? low : low | ((source[at + 2] ?? 0) << 16)
}

/** Rows come from the bottom. */
function turn(pixels: Uint32Array, width: number, height: number): void {
  for (let top = 0, bottom = height - 1; top < bottom; top++, bottom--) {
    const kept = pixels.slice(top * width, (top + 1) * width)
    pixels.copyWithin(top * width, bottom * width, (bottom + 1) * width)
    pixels.set(kept, bottom * width)
  }
}

type Order =
  | { kind: (typeof regular)[number] | (typeof lite)[number]; run: number; set: boolean }
  | { kind: 'mask'; mask: number }
  | { kind: 'white' | 'black' }

/** The run-length codes, decoded in the target's own pixel values: XOR with the row above works on those. */
function interleaved(source: Uint8Array, out: Uint32Array, width: number, color: Color): void {
  const { bytes, white } = color
  const total = out.length
  let at = 0
  let done = 0
  let foreground = white
  let afterBackground = false
  let firstRow = true
  const need = (count: number): number => {
    const from = at
    at += count
    if (at > source.length) throw new RdpError('a picture ends too early')
    return from
  }
  const byte = (): number => source[need(1)] ?? 0
  const pixel = (): number => readPixel(source, need(bytes), bytes)
  const room = (count: number): number => {
    if (count > total - done) throw new RdpError('a picture is longer than its size')
    return done + count
  }
  const above = (index: number): number => (firstRow ? 0 : (out[index - width] ?? 0))
  const pattern = (mask: number, count: number): void => {
    const end = room(count)
    for (let bit = 1; done < end; bit <<= 1, done++) {
      out[done] = (mask & bit) === 0 ? above(done) : above(done) ^ foreground
    }
  }
  while (done < total) {
    if (at >= source.length) throw new RdpError('a picture ends too early')
    if (firstRow && done >= width) {
      firstRow = false
      afterBackground = false
    }
    const order = nextOrder(byte)
    const insert = afterBackground
    afterBackground = order.kind === 'background'
    switch (order.kind) {
      case 'background': {
        const end = room(order.run)
        if (insert && done < end) {
          out[done] = above(done) ^ foreground
          done++
        }
        for (; done < end; done++) out[done] = above(done)
        break
      }
      case 'foreground': {
        if (order.set) foreground = pixel()
        const end = room(order.run)
        for (; done < end; done++) out[done] = above(done) ^ foreground
        break
      }
      case 'pattern': {
        if (order.set) foreground = pixel()
        for (let left = order.run; left > 0; left -= 8) pattern(byte(), Math.min(left, 8))
        break
      }
      case 'color': {
        const value = pixel()
        const end = room(order.run)
        out.fill(value, done, end)
        done = end
        break
      }
      case 'dithered': {
        const [one, other] = [pixel(), pixel()]
        const end = room(order.run * 2)
        for (; done < end; done += 2) {
          out[done] = one
          out[done + 1] = other
        }
        break
      }
      case 'colors': {
        const end = room(order.run)
        for (; done < end; done++) out[done] = pixel()
        break
      }
      case 'mask':
        pattern(order.mask, 8)
        break
      case 'white':
      case 'black':
        room(1)
        out[done++] = order.kind === 'white' ? white : 0
        break
      default:
        order satisfies never
    }
  }
  for (let i = 0; i < total; i++) out[i] = color.rgb(out[i] ?? 0)
}

const regular = ['background', 'foreground', 'pattern', 'color', 'colors'] as const
const lite = ['foreground', 'pattern', 'dithered'] as const

/** Reads an order's code and length (MS-RDPBCGR 2.2.9.1.1.3.1.2.4). */
function nextOrder(byte: () => number): Order {
  const code = byte()
  if (code >= 0xf0) return longOrder(code, byte)
  const short = code >= 0xc0
  const kind = short ? lite[(code >> 4) - 0xc] : regular[code >> 5]
  if (kind === undefined) throw new RdpError('a picture with an unknown code')
  const length = short ? code & 15 : code & 31
  const set = short && kind !== 'dithered'
  if (kind === 'pattern') return { kind, set, run: length === 0 ? byte() + 1 : length * 8 }
  return { kind, set, run: length === 0 ? byte() + (short ? 16 : 32) : length }
}

const long = [...regular, undefined, ...lite] as const

function longOrder(code: number, byte: () => number): Order {
  switch (code) {
    case 0xf9:
      return { kind: 'mask', mask: 3 }
    case 0xfa:
      return { kind: 'mask', mask: 5 }
    case 0xfd:
      return { kind: 'white' }
    case 0xfe:
      return { kind: 'black' }
  }
  const kind = long[code - 0xf0]
  if (kind === undefined) throw new RdpError('a picture with an unknown code')
  const low = byte()
  return { kind, set: code === 0xf6 || code === 0xf7, run: low | (byte() << 8) }
}

/** RDP 6.0: one plane after the other, each row but the first as differences to the one above. */
function planes(source: Uint8Array, out: Uint32Array, width: number, height: number): void {
  const header = source[0] ?? 0
  if ((header & 0x0f) !== 0) throw new RdpError('a picture with reduced colours')
  const runs = (header & 0x10) !== 0
  const r = new Bytes(source, 1)
  const plane = (): Uint8Array => (runs ? runPlane(r, width, height) : r.take(width * height))
  if ((header & 0x20) === 0) plane()
  const [red, green, blue] = [plane(), plane(), plane()]
  for (let i = 0; i < out.length; i++) out[i] = ((red[i] ?? 0) << 16) | ((green[i] ?? 0) << 8) | (blue[i] ?? 0)
}

function runPlane(r: Bytes, width: number, height: number): Uint8Array {
  const out = new Uint8Array(width * height)
  for (let y = 0; y < height; y++) {
    const row = y * width
    let x = 0
    let value = 0
    const put = (): void => {
      if (x >= width) throw new RdpError('a picture is longer than its size')
      out[row + x] = y === 0 ? value : (out[row + x - width] ?? 0) + value
      x++
    }
    while (x < width) {
      const control = r.u8()
      let run = control & 15
      let raw = control >> 4
      if (run === 1) [run, raw] = [raw + 16, 0]
      else if (run === 2) [run, raw] = [raw + 32, 0]
      for (; raw > 0; raw--) {
        const byte = r.u8()
        value = y === 0 ? byte : (byte & 1) !== 0 ? -((byte >> 1) + 1) : byte >> 1
        put()
      }
      for (; run > 0; run--) put()
    }
  }
  return out
}
