import type { Keyframe, Stretch } from './keyframes.ts'
import { stretchAt } from './keyframes.ts'
import type { DesktopEvent, Pictures } from './pictures.ts'

/** What is on the screen now. */
interface Shown {
  after: number
  /** Events of the stretch that are drawn. */
  count: number
}

/** The screen as it is drawn now, and where the pointer was. */
export interface Drawn {
  width: number
  height: number
  pointer: { x: number; y: number } | undefined
}

export interface ScreenEvents {
  drawn(screen: Drawn): void
  failed(error: unknown): void
}

/** Draws a recorded desktop as it was at a moment. Moments are asked for faster than they are drawn; the newest wins. */
export class DesktopScreen {
  readonly #canvas: HTMLCanvasElement
  readonly #pictures: Pictures
  readonly #told: ScreenEvents
  #shown: Shown | undefined
  #wanted: { keyframes: readonly Keyframe[]; at: number } | undefined
  #drawing = false
  #closed = false

  constructor(canvas: HTMLCanvasElement, pictures: Pictures, told: ScreenEvents) {
    this.#canvas = canvas
    this.#pictures = pictures
    this.#told = told
  }

  show(keyframes: readonly Keyframe[], at: number): void {
    this.#wanted = { keyframes, at }
    if (!this.#drawing) void this.#draw()
  }

  close(): void {
    this.#closed = true
    this.#wanted = undefined
  }

  async #draw(): Promise<void> {
    this.#drawing = true
    try {
      while (this.#wanted !== undefined && !this.#closed) {
        const { keyframes, at } = this.#wanted
        this.#wanted = undefined
        const stretch = stretchAt(keyframes, at)
        if (stretch !== undefined) await this.#drawAt(stretch, at)
        this.#ahead(keyframes, stretch)
      }
    } catch (error) {
      if (!this.#closed) this.#told.failed(error)
    } finally {
      this.#drawing = false
    }
  }

  async #drawAt(stretch: Stretch, at: number): Promise<void> {
    const events = await this.#pictures.stretch(stretch)
    const { after } = stretch.start
    const target = Math.max(1, countUntil(events, at))
    // Back within a stretch starts at its keyframe again.
    let from = this.#shown?.after === after && this.#shown.count <= target ? this.#shown.count : 0
    for (; from < target && !this.#closed; from += 1) {
      const event = events[from]
      if (event !== undefined) await this.#apply(event)
    }
    this.#shown = { after, count: target }
    this.#told.drawn({ width: this.#canvas.width, height: this.#canvas.height, pointer: pointerAt(events, target) })
  }

  async #apply(event: DesktopEvent): Promise<void> {
    if (event.type === 'input') return
    if (event.type === 'desktop') {
      this.#resize(event.width, event.height)
      return
    }
    const pictures = await Promise.all(event.tiles.map((tile) => decode(tile.png)))
    if (event.key) {
      const width = Math.max(...event.tiles.map((t) => t.x + t.width))
      const height = Math.max(...event.tiles.map((t) => t.y + t.height))
      this.#resize(width, height)
    }
    const context = this.#canvas.getContext('2d')
    for (const [i, tile] of event.tiles.entries()) {
      const picture = pictures[i]
      if (picture === undefined) continue
      context?.drawImage(picture, tile.x, tile.y)
      picture.close()
    }
  }

  #resize(width: number, height: number): void {
    if (width < 1 || height < 1 || (this.#canvas.width === width && this.#canvas.height === height)) return
    this.#canvas.width = width
    this.#canvas.height = height
  }

  /** The next stretch is there by the time that playing reaches it. */
  #ahead(keyframes: readonly Keyframe[], stretch: Stretch | undefined): void {
    if (stretch?.end === undefined) return
    const i = keyframes.findIndex((keyframe) => keyframe.after === stretch.end)
    const start = keyframes[i]
    const end = keyframes[i + 1]?.after
    if (start !== undefined && end !== undefined) this.#pictures.stretch({ start, end }).catch(() => {})
  }
}

/** How many of the events have happened by `at`. */
function countUntil(events: readonly DesktopEvent[], at: number): number {
  let count = 0
  while (count < events.length && (events[count]?.at ?? Number.POSITIVE_INFINITY) <= at) count += 1
  return count
}

function pointerAt(events: readonly DesktopEvent[], count: number): { x: number; y: number } | undefined {
  for (let i = count - 1; i >= 0; i -= 1) {
    const event = events[i]
    if (event?.type === 'input' && event.pointer !== undefined) return event.pointer
  }
  return undefined
}

function decode(png: string): Promise<ImageBitmap> {
  const bytes = Uint8Array.from(atob(png), (c) => c.charCodeAt(0))
  return createImageBitmap(new Blob([bytes], { type: 'image/png' }))
}
