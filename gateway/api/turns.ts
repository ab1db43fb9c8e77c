export interface TurnsOptions {
  /** Of one person, or machine: so much work at once. */
  atOnce: number
  /** So much more waits for that. */
  waiting: number
}

interface Line {
  running: number
  /** In the order in which they came. */
  waiting: (() => void)[]
}

/**
 * Work of people, so much at once for each: who asks for a little more waits, so that one who is quick is answered, and one who asks for
 * thousands holds up nobody else.
 */
export class Turns {
  readonly #options: TurnsOptions
  readonly #lines = new Map<string, Line>()

  constructor(options: TurnsOptions) {
    this.#options = options
  }

  /** What `work` gives; undefined: enough of `who` waits already. Rejects when `signal` says, before its turn, that nobody waits any more. */
  async take<T>(who: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T | undefined> {
    const line = this.#lines.get(who) ?? { running: 0, waiting: [] }
    if (line.running >= this.#options.atOnce) {
      if (line.waiting.length >= this.#options.waiting) return undefined
      await new Promise<void>((turn) => line.waiting.push(turn))
    } else {
      this.#lines.set(who, line)
      line.running++
    }
    try {
      signal?.throwIfAborted()
      return await work()
    } finally {
      // Whoever is next takes the place over.
      const next = line.waiting.shift()
      if (next !== undefined) next()
      else if (--line.running === 0) this.#lines.delete(who)
    }
  }
}
