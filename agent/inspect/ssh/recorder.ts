import { StringDecoder } from 'node:string_decoder'
import type { InspectorPort } from '../port.ts'
import type { MaskCounts } from '../text/masker.ts'

/** Output is put on the recording this often, or when this many bytes have come. */
const batchMs = 40
const batchBytes = 32 << 10
/** Slices become text one at a time: a byte that is not UTF-8 triples, and an event stays under 64 KiB. */
const sliceBytes = 16 << 10
/** So much may wait for the store before output stops flowing. */
const backlog = 1 << 20

export interface OutputRecorderOptions {
  port: InspectorPort
  /** Bytes recorded at most; more is counted only. Undefined: all of it. */
  cap: number | undefined
  /** The store can't take it: nothing may flow on. */
  failed(error: unknown): void
  /** The store has caught up. */
  progress(): void
}

/**
 * Puts what a person saw on the recording, as masked for others. Bytes that are not UTF-8 are replaced here alone;
 * a character cut by a chunk is put together.
 */
export class OutputRecorder {
  readonly #options: OutputRecorderOptions
  readonly #decoders = { out: new StringDecoder('utf8'), err: new StringDecoder('utf8') }
  #text = ''
  #bytes = 0
  #seen = 0
  #capped = false
  #waiting = 0
  #timer: NodeJS.Timeout | undefined

  constructor(options: OutputRecorderOptions) {
    this.#options = options
  }

  get hasRoom(): boolean {
    return this.#waiting < backlog
  }

  push(data: Buffer, stderr: boolean): void {
    const { cap } = this.#options
    const left = cap === undefined ? data.length : Math.max(cap - this.#seen, 0)
    this.#seen += data.length
    const kept = data.length > left ? data.subarray(0, left) : data
    for (let at = 0; at < kept.length; at += sliceBytes) {
      const slice = kept.subarray(at, at + sliceBytes)
      this.#text += this.#decoders[stderr ? 'err' : 'out'].write(slice)
      this.#bytes += slice.length
      if (this.#bytes >= batchBytes - sliceBytes) this.flush()
    }
    if (kept.length < data.length && !this.#capped) {
      this.#capped = true
      this.#text += `\r\n[only the first ${cap} bytes of this output are recorded]\r\n`
    }
    if (this.#text !== '') this.#timer ??= setTimeout(() => this.flush(), batchMs)
  }

  masked(counts: MaskCounts): void {
    this.flush()
    const classes = Object.fromEntries([...counts].map(([name, { count }]) => [name, count]))
    const first = counts.values().next().value
    const at = this.#options.port.elapsed()
    this.#record(
      { type: 'masked', at, classes, ...(first === undefined ? {} : { policy: first.mask.unmask.policy }) },
      0,
    )
  }

  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const data = this.#text
    const bytes = this.#bytes
    this.#text = ''
    this.#bytes = 0
    if (data !== '') this.#record({ type: 'output', at: this.#options.port.elapsed(), data }, bytes)
  }

  end(): void {
    this.#text += this.#decoders.out.end() + this.#decoders.err.end()
    this.flush()
  }

  #record(event: Parameters<InspectorPort['record']>[0], bytes: number): void {
    const { port, failed, progress } = this.#options
    try {
      const stored = port.record(event)
      if (stored === undefined) return
      this.#waiting += bytes
      stored.then(() => {
        this.#waiting -= bytes
        progress()
      }, failed)
    } catch (error) {
      failed(error)
    }
  }
}
