import { Worker } from 'node:worker_threads'
import type { Frame } from './canvas.ts'
import type { PainterAnswer, PainterOrder } from './painter.ts'

export interface Easel {
  size(width: number, height: number): void
  /** A bitmap update from `numberRectangles` on. It is copied. */
  draw(update: Uint8Array): void
  /** Sends what `draw` gathered; call at the end of a chunk. */
  flush(): void
  /** Bytes that wait to be drawn. */
  readonly waiting: number
  /** Resolves when the last frame has been given. */
  close(): Promise<void>
}

export interface EaselEvents {
  /** Frames from here on are of this size. */
  sized(width: number, height: number): void
  frame(frame: Frame): void
  /** What waited is drawn, or some of it. */
  progress(): void
  failed(reason: string): void
}

/** Where desktops are drawn for the recording: a thread, started for the first one. */
export interface Studio {
  easel(events: EaselEvents): Easel
  close(): Promise<void>
}

/** Who draws: a thread. */
export interface Brush {
  order(order: PainterOrder): void
  close(): Promise<unknown>
}

/** Starts who draws. `lost`: it is there no more, and why. */
export type StartBrush = (tell: (answer: PainterAnswer) => void, lost: (why: string) => void) => Brush

const startThread: StartBrush = (tell, lost) => {
  const worker = new Worker(new URL('./worker.ts', import.meta.url))
  worker.unref()
  worker.on('message', tell)
  worker.on('error', (error) => lost(`the recorder of desktops broke: ${error.message}`))
  worker.on('exit', () => lost('the recorder of desktops stopped'))
  return {
    // What is drawn goes over without a second copy.
    order: (order) => worker.postMessage(order, order.kind === 'draw' ? order.updates.map(({ buffer }) => buffer) : []),
    close: () => worker.terminate(),
  }
}

export function createStudio(startBrush: StartBrush = startThread): Studio {
  let brush: Brush | undefined
  let next = 1
  const live = new Map<number, (answer: PainterAnswer) => void>()

  const start = (): Brush => {
    const made = startBrush(
      (answer) => live.get(answer.session)?.(answer),
      (why) => {
        if (brush !== made) return
        brush = undefined
        for (const [session, tell] of [...live]) tell({ kind: 'failed', session, reason: why })
      },
    )
    return made
  }

  return {
    easel(events) {
      const session = next++
      const closed = Promise.withResolvers<void>()
      let updates: Uint8Array<ArrayBuffer>[] = []
      let waiting = 0
      brush ??= start()
      const own = brush
      live.set(session, (answer) => {
        switch (answer.kind) {
          case 'drawn':
            waiting -= answer.bytes
            events.progress()
            break
          case 'frame':
            events.frame(answer.frame)
            break
          case 'sized':
            events.sized(answer.width, answer.height)
            break
          case 'failed':
            events.failed(answer.reason)
            closed.resolve()
            break
          case 'closed':
            closed.resolve()
            break
          default:
            answer satisfies never
        }
      })
      const flush = (): void => {
        if (updates.length === 0) return
        own.order({ kind: 'draw', session, updates })
        updates = []
      }
      return {
        get waiting() {
          return waiting
        },
        size(width, height) {
          flush()
          own.order({ kind: 'size', session, width, height })
        },
        draw(update) {
          waiting += update.byteLength
          updates.push(new Uint8Array(update))
        },
        flush,
        async close() {
          flush()
          own.order({ kind: 'close', session })
          await closed.promise
          live.delete(session)
        },
      }
    },
    async close() {
      const running = brush
      brush = undefined
      await running?.close()
    },
  }
}
