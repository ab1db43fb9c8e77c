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

export function createStudio(): Studio {
  let worker: Worker | undefined
  let next = 1
  const live = new Map<number, (answer: PainterAnswer) => void>()

  const start = (): Worker => {
    const made = new Worker(new URL('./worker.ts', import.meta.url))
    made.unref()
    made.on('message', (answer: PainterAnswer) => live.get(answer.session)?.(answer))
    const lost = (why: string): void => {
      if (worker !== made) return
      worker = undefined
      for (const [session, tell] of [...live]) tell({ kind: 'failed', session, reason: why })
    }
    made.on('error', (error) => lost(`the recorder of desktops broke: ${error.message}`))
    made.on('exit', () => lost('the recorder of desktops stopped'))
    return made
  }

  return {
    easel(events) {
      const session = next++
      const closed = Promise.withResolvers<void>()
      let updates: Uint8Array<ArrayBuffer>[] = []
      let waiting = 0
      worker ??= start()
      const own = worker
      // What is drawn goes over without a second copy.
      const send = (order: PainterOrder): void =>
        own.postMessage(order, order.kind === 'draw' ? order.updates.map(({ buffer }) => buffer) : [])
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
        send({ kind: 'draw', session, updates })
        updates = []
      }
      return {
        get waiting() {
          return waiting
        },
        size(width, height) {
          flush()
          send({ kind: 'size', session, width, height })
        },
        draw(update) {
          waiting += update.byteLength
          updates.push(new Uint8Array(update))
        },
        flush,
        async close() {
          flush()
          send({ kind: 'close', session })
          await closed.promise
          live.delete(session)
        },
      }
    },
    async close() {
      const running = worker
      worker = undefined
      await running?.terminate()
    },
  }
}
