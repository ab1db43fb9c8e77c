import { decoded, encodedPictures, Scratch } from '../../../../shared/rdp/bitmap.ts'
import { RdpError } from '../frames.ts'
import { Canvas, type Frame } from './canvas.ts'
import { PendingPictures } from './pending.ts'

/** What a painter is told, and what it answers. Crosses between threads. */
export type PainterOrder =
  | { kind: 'size'; session: number; width: number; height: number }
  /** Bitmap updates, each from `numberRectangles` on. */
  | { kind: 'draw'; session: number; updates: Uint8Array<ArrayBuffer>[] }
  | { kind: 'close'; session: number }

export type PainterAnswer =
  /** So many bytes of updates are drawn, or will be with the next frame. */
  | { kind: 'drawn'; session: number; bytes: number }
  | { kind: 'frame'; session: number; frame: Frame }
  /** Frames after this one are of this size. */
  | { kind: 'sized'; session: number; width: number; height: number }
  /** Nothing of this session can be decoded any more. */
  | { kind: 'failed'; session: number; reason: string }
  /** After `close`: the last frame has been sent. */
  | { kind: 'closed'; session: number }

/** The clock by which frames and keyframes come. */
export interface PainterClock {
  /** In milliseconds, from any beginning. */
  now(): number
  /** Runs something once, later; returns how to forget it. */
  later(ms: number, run: () => void): () => void
}

export const systemClock: PainterClock = {
  now: () => performance.now(),
  later(ms, run) {
    const timer = setTimeout(run, ms)
    return () => clearTimeout(timer)
  },
}

/** Draws for any number of sessions, and tells what comes of it. */
export function painters(
  tell: (answer: PainterAnswer) => void,
  clock: PainterClock = systemClock,
): (order: PainterOrder) => void {
  const live = new Map<number, Painter>()
  return (order) => {
    const { session } = order
    const painter = live.get(session) ?? new Painter(session, tell, clock)
    live.set(session, painter)
    if (order.kind === 'close') live.delete(session)
    painter.order(order)
  }
}

const frameMs = 200
const keyframeMs = 9_000
/** So much waits for the next frame at most; then it is drawn at once. */
const most = { bytes: 4 << 20, pictures: 8_192 }

/** Draws one session's desktop, and makes frames of it at most five times a second. */
class Painter {
  readonly #session: number
  readonly #answer: (answer: PainterAnswer) => void
  #canvas: Canvas | undefined
  readonly #pending = new PendingPictures()
  readonly #scratch = new Scratch()
  readonly #clock: PainterClock
  /** Forgets the frame that is due. */
  #forget: (() => void) | undefined
  #keyAt = Number.NEGATIVE_INFINITY
  #busy: Promise<void> = Promise.resolve()

  constructor(session: number, answer: (answer: PainterAnswer) => void, clock: PainterClock) {
    this.#session = session
    this.#answer = answer
    this.#clock = clock
  }

  order(order: PainterOrder): void {
    try {
      switch (order.kind) {
        case 'size':
          this.#resize(order.width, order.height)
          break
        case 'draw':
          this.#draw(order.updates)
          break
        case 'close':
          this.#queueFrame()
          void this.#busy.then(() => this.#answer({ kind: 'closed', session: this.#session }))
          break
        default:
          order satisfies never
      }
    } catch (error) {
      this.#fail(error)
    }
  }

  #resize(width: number, height: number): void {
    this.#queueFrame()
    this.#canvas = new Canvas(width, height)
    this.#busy = this.#busy.then(() => {
      this.#keyAt = Number.NEGATIVE_INFINITY
      this.#answer({ kind: 'sized', session: this.#session, width, height })
    })
  }

  #draw(updates: Uint8Array[]): void {
    const canvas = this.#canvas
    if (canvas === undefined) throw new RdpError('a picture came before the size of the desktop')
    let bytes = 0
    for (const update of updates) {
      bytes += update.byteLength
      for (const picture of encodedPictures(Buffer.from(update.buffer, update.byteOffset, update.byteLength))) {
        this.#pending.add(picture)
        if (this.#pending.bytes > most.bytes || this.#pending.count > most.pictures) this.#decode(canvas)
      }
    }
    this.#answer({ kind: 'drawn', session: this.#session, bytes })
    this.#forget ??= this.#clock.later(frameMs, () => this.#queueFrame())
  }

  #decode(canvas: Canvas): void {
    for (const picture of this.#pending.take()) canvas.draw(decoded(picture, this.#scratch))
  }

  /** One after the other: frames are in order, and a slow one makes the next wait instead of piling up. */
  #queueFrame(): void {
    this.#forget?.()
    this.#forget = undefined
    const canvas = this.#canvas
    if (canvas === undefined) return
    try {
      this.#decode(canvas)
    } catch (error) {
      this.#fail(error)
      return
    }
    this.#busy = this.#busy
      .then(async () => {
        if (!canvas.changed) return
        const now = this.#clock.now()
        const key = now - this.#keyAt >= keyframeMs
        if (key) this.#keyAt = now
        const frame = await canvas.frame(key)
        this.#answer({ kind: 'frame', session: this.#session, frame })
      })
      .catch((error: unknown) => this.#fail(error))
  }

  #fail(error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error)
    this.#answer({ kind: 'failed', session: this.#session, reason })
  }
}
