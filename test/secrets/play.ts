import type { Seen, Step, Worlds } from './worlds.ts'

export interface Difference {
  program: readonly Step[]
  /** Which of them told, or that the records did. */
  at: number | 'record'
  told: readonly [string, string]
}

const outcomes = ['clear', 'masked', 'refused', 'failed', 'ended', 'reordered', 'timedOut'] as const

/** What was played, and what came of it, counted by statements. */
export class Tally {
  readonly counts = { clear: 0, masked: 0, refused: 0, failed: 0, ended: 0, reordered: 0, timedOut: 0 }
  readonly differences: Difference[] = []
  /** How often each sentence of a refusal was said, its names left out, with the last statement that heard it. */
  readonly refusals = new Map<string, { times: number; sql: string }>()

  /** All of them together. */
  static of(tallies: readonly Tally[]): Tally {
    const all = new Tally()
    for (const { counts, differences, refusals } of tallies) {
      for (const name of outcomes) all.counts[name] += counts[name]
      all.differences.push(...differences)
      for (const [why, { times, sql }] of refusals) {
        all.refusals.set(why, { times: (all.refusals.get(why)?.times ?? 0) + times, sql })
      }
    }
    return all
  }

  get statements(): number {
    const { clear, masked, refused, failed, ended } = this.counts
    return clear + masked + refused + failed + ended
  }

  add(seen: Seen, { sql }: Step): void {
    this.counts[seen.outcome]++
    if (seen.reordered) this.counts.reordered++
    if (seen.timedOut) this.counts.timedOut++
    if (seen.outcome !== 'refused' && seen.outcome !== 'ended') return
    const why = seen.errors.join(' ').replaceAll(/[\w.]+\.[\w.]+|"[^"]*"|\d+/g, '…')
    const known = this.refusals.get(why)
    this.refusals.set(why, { times: (known?.times ?? 0) + 1, sql })
  }

  toString(): string {
    const counts = Object.entries(this.counts).map(([name, count]) => `${name} ${count}`)
    return `${this.statements} statements in each world: ${counts.join(', ')}; ${this.differences.length} differences`
  }
}

/**
 * Plays a program in both worlds, and takes back what it did in its session. Undefined: nobody can tell the worlds apart by it.
 * After a difference they may not be the same any more, and have to be filled anew.
 */
export async function play(worlds: Worlds, program: readonly Step[], tally: Tally): Promise<Difference | undefined> {
  let difference: Difference | undefined
  let timedOut = false
  for (const [at, step] of program.entries()) {
    const seen = await worlds.ask(step)
    if (step.between !== true) tally.add(seen, step)
    timedOut ||= seen.timedOut
    if (seen.outcome === 'ended') break
    if (seen.difference === undefined || timedOut) continue
    difference = { program, at, told: seen.difference }
    break
  }
  await worlds.settle()
  const recorded = worlds.recorded()
  if (recorded !== undefined && !timedOut) difference ??= { program, at: 'record', told: recorded }
  worlds.forget()
  if (difference !== undefined) tally.differences.push(difference)
  return difference
}
