import type { Picture } from '../../../shared/rdp/bitmap.ts'

/** A canvas that shows a desktop. */
export class Screen {
  readonly canvas: HTMLCanvasElement
  readonly #context: CanvasRenderingContext2D

  constructor(canvas: HTMLCanvasElement) {
    this.canvas = canvas
    const context = canvas.getContext('2d', { alpha: false })
    if (context === null) throw new Error('This browser draws no canvas.')
    this.#context = context
  }

  size(width: number, height: number): void {
    if (this.canvas.width === width && this.canvas.height === height) return
    this.canvas.width = width
    this.canvas.height = height
  }

  draw({ x, y, width, shownWidth, shownHeight, pixels }: Picture): void {
    const image = new ImageData(shownWidth, shownHeight)
    const { data } = image
    let to = 0
    for (let row = 0; row < shownHeight; row++) {
      for (let from = row * width; from < row * width + shownWidth; from++) {
        const value = pixels[from] ?? 0
        data[to] = value >> 16
        data[to + 1] = (value >> 8) & 0xff
        data[to + 2] = value & 0xff
        data[to + 3] = 0xff
        to += 4
      }
    }
    this.#context.putImageData(image, x, y)
  }

  /** Where on the desktop the pointer is. */
  at({ clientX, clientY }: Pick<MouseEvent, 'clientX' | 'clientY'>): { x: number; y: number } {
    const { left, top, width, height } = this.canvas.getBoundingClientRect()
    const on = (client: number, from: number, shown: number, all: number): number =>
      Math.min(all - 1, Math.max(0, Math.floor(((client - from) / Math.max(1, shown)) * all)))
    return {
      x: on(clientX, left, width, this.canvas.width),
      y: on(clientY, top, height, this.canvas.height),
    }
  }
}
