import type { RecordingEvent } from '../../../shared/recording.ts'
import type { InspectorPort } from '../port.ts'
import { type Activity, noActivity } from './input.ts'
import type { Easel, Studio } from './picture/studio.ts'

export interface RecorderOptions {
  port: InspectorPort
  studio: Studio
  /** It can't be recorded any more: nothing may flow on. */
  failed(reason: string): void
  /** There is room again. */
  progress(): void
}

/** So much may wait to be drawn before the target is no longer read. */
const backlog = 16 << 20
const inputMs = 1_000

/** Puts a desktop on the recording: what it showed, and that somebody used it. */
export class DesktopRecorder {
  readonly #options: RecorderOptions
  readonly #easel: Easel
  #activity: Activity = noActivity()
  #timer: NodeJS.Timeout | undefined

  constructor(options: RecorderOptions) {
    this.#options = options
    const { port, studio, failed, progress } = options
    this.#easel = studio.easel({
      sized: (width, height) => this.record({ type: 'desktop', at: port.elapsed(), width, height }),
      frame: (frame) => this.record({ type: 'frame', at: port.elapsed(), ...frame }),
      progress,
      failed,
    })
  }

  get hasRoom(): boolean {
    return this.#easel.waiting < backlog
  }

  size(width: number, height: number): void {
    this.#easel.size(width, height)
  }

  draw(update: Buffer): void {
    this.#easel.draw(update)
  }

  /** Call at the end of each chunk of the target. */
  flush(): void {
    this.#easel.flush()
  }

  /** Counts of one PDU are added by `count`. */
  input(count: (into: Activity) => void): void {
    count(this.#activity)
    this.#timer ??= setTimeout(() => this.#flushInput(), inputMs)
  }

  record(event: RecordingEvent): void {
    const { port, failed } = this.#options
    try {
      port.record(event)?.catch((error: unknown) => failed(words(error)))
    } catch (error) {
      failed(words(error))
    }
  }

  /** Resolves when the last frame is on the recording. */
  async close(): Promise<void> {
    this.#flushInput()
    await this.#easel.close()
  }

  #flushInput(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const { keys, clicks, moves, pointer } = this.#activity
    if (keys + clicks + moves === 0) return
    this.#activity = noActivity()
    const at = this.#options.port.elapsed()
    this.record({ type: 'input', at, keys, clicks, moves, ...(pointer === undefined ? {} : { pointer }) })
  }
}

function words(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
