import { type Profiler, Session } from 'node:inspector'

/** [start, end) offsets in a function's source that never ran. */
type Gaps = readonly (readonly [number, number])[]

/** V8's own count of which blocks ran, for the files whose address holds one of `watched`. */
export class Coverage {
  readonly #session = new Session()
  readonly #watched: readonly string[]
  readonly #gaps = new Map<string, Gaps>()
  /** Functions that ran. */
  get functions(): number {
    return this.#gaps.size
  }

  constructor(watched: readonly string[]) {
    this.#watched = watched
    this.#session.connect()
    this.#post('Profiler.enable')
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true }, (error) => {
      if (error !== null) throw error
    })
  }

  /** Bytes of source in functions that ran, and that never ran themselves. */
  get missing(): number {
    let sum = 0
    for (const gaps of this.#gaps.values()) for (const [start, end] of gaps) sum += end - start
    return sum
  }

  /** True when something ran since the last call that never had before. */
  grew(): boolean {
    let grew = false
    for (const { url, functions } of this.#take()) {
      if (!this.#watched.some((one) => url.includes(one))) continue
      for (const { functionName, ranges } of functions) {
        const [whole] = ranges
        if (whole === undefined || whole.count === 0) continue
        const key = `${url}:${whole.startOffset}:${functionName}`
        const now: Gaps = ranges.filter(({ count }) => count === 0).map((one) => [one.startOffset, one.endOffset])
        const before = this.#gaps.get(key)
        const left = before === undefined ? now : both(before, now)
        if (before === undefined || size(left) < size(before)) {
          this.#gaps.set(key, left)
          grew = true
        }
      }
    }
    return grew
  }

  close(): void {
    this.#post('Profiler.stopPreciseCoverage')
    this.#session.disconnect()
  }

  #take(): readonly Profiler.ScriptCoverage[] {
    let taken: readonly Profiler.ScriptCoverage[] = []
    this.#session.post('Profiler.takePreciseCoverage', (error, { result }) => {
      if (error !== null) throw error
      taken = result
    })
    return taken
  }

  #post(method: 'Profiler.enable' | 'Profiler.stopPreciseCoverage'): void {
    this.#session.post(method, (error) => {
      if (error !== null) throw error
    })
  }
}

function both(a: Gaps, b: Gaps): Gaps {
  const out: (readonly [number, number])[] = []
  for (const [start, end] of a) {
    for (const [from, to] of b) if (from < end && start < to) out.push([Math.max(start, from), Math.min(end, to)])
  }
  return out
}

function size(gaps: Gaps): number {
  return gaps.reduce((sum, [start, end]) => sum + end - start, 0)
}
