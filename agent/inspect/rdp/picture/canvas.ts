import { mostPixels, type Picture } from '../../../../shared/rdp/bitmap.ts'
import { RdpError } from '../frames.ts'
import { png } from './png.ts'

/** A frame of the recording, without its time. */
export interface Frame {
  key: boolean
  tiles: { x: number; y: number; width: number; height: number; png: string }[]
}

const tile = 64

/** A desktop as the person sees it, and which of its tiles changed since the last frame. RGB, three bytes a pixel. */
export class Canvas {
  readonly width: number
  readonly height: number
  readonly #pixels: Buffer
  readonly #columns: number
  readonly #changed: Uint8Array
  /** The rows of one frame while it is compressed, each area's with a filter byte before it. */
  readonly #cut: Buffer
  #any = false

  constructor(width: number, height: number) {
    if (width < 1 || height < 1 || width * height > mostPixels) {
      throw new RdpError(`a desktop of ${width}×${height} can't be recorded; the largest is 4096×2304`)
    }
    this.width = width
    this.height = height
    this.#pixels = Buffer.alloc(width * height * 3)
    this.#columns = Math.ceil(width / tile)
    this.#changed = new Uint8Array(this.#columns * Math.ceil(height / tile))
    this.#cut = Buffer.alloc(height * (width * 3 + this.#columns))
  }

  get changed(): boolean {
    return this.#any
  }

  /** What lies beyond the edges is not drawn. */
  draw({ x, y, width, shownWidth, shownHeight, pixels }: Picture): void {
    const right = Math.min(x + shownWidth, this.width)
    const bottom = Math.min(y + shownHeight, this.height)
    if (right <= x || bottom <= y) return
    for (let row = y; row < bottom; row++) {
      let to = (row * this.width + x) * 3
      let from = (row - y) * width
      for (let column = x; column < right; column++) {
        const value = pixels[from++] ?? 0
        this.#pixels[to++] = value >> 16
        this.#pixels[to++] = value >> 8
        this.#pixels[to++] = value
      }
    }
    for (let ty = Math.floor(y / tile); ty * tile < bottom; ty++) {
      for (let tx = Math.floor(x / tile); tx * tile < right; tx++) this.#changed[ty * this.#columns + tx] = 1
    }
    this.#any = true
  }

  /** What changed since the last frame; with `key` all of it. Not to be called before the last one is there. */
  async frame(key: boolean): Promise<Frame> {
    const areas = key ? [{ x: 0, y: 0, width: this.width, height: this.height }] : this.#areas()
    this.#changed.fill(0)
    this.#any = false
    // Rows are copied now, before anything else is drawn.
    let at = 0
    const cut = areas.map((area) => {
      const rows = this.#rows(area, at)
      at += rows.length
      return { area, rows }
    })
    const tiles = await Promise.all(
      cut.map(async ({ area, rows }) => ({
        ...area,
        png: (await png(area.width, area.height, rows)).toString('base64'),
      })),
    )
    return { key, tiles }
  }

  /** Changed tiles as rectangles: runs within a row, and equal runs of rows below each other as one. */
  #areas(): { x: number; y: number; width: number; height: number }[] {
    const areas: { x: number; y: number; width: number; height: number }[] = []
    const rows = this.#changed.length / this.#columns
    let open: typeof areas = []
    for (let ty = 0; ty < rows; ty++) {
      const next: typeof areas = []
      for (let tx = 0; tx < this.#columns; tx++) {
        if (this.#changed[ty * this.#columns + tx] === 0) continue
        const from = tx
        while (tx + 1 < this.#columns && this.#changed[ty * this.#columns + tx + 1] === 1) tx++
        const x = from * tile
        const width = Math.min((tx + 1) * tile, this.width) - x
        const height = Math.min(tile, this.height - ty * tile)
        const over = open.find((area) => area.x === x && area.width === width)
        if (over === undefined) {
          const area = { x, y: ty * tile, width, height }
          areas.push(area)
          next.push(area)
        } else {
          over.height += height
          next.push(over)
        }
      }
      open = next
    }
    return areas
  }

  #rows({ x, y, width, height }: { x: number; y: number; width: number; height: number }, at: number): Buffer {
    const stride = width * 3 + 1
    const out = this.#cut.subarray(at, at + stride * height)
    for (let row = 0; row < height; row++) {
      const from = ((y + row) * this.width + x) * 3
      out[row * stride] = 0
      this.#pixels.copy(out, row * stride + 1, from, from + width * 3)
    }
    return out
  }
}
