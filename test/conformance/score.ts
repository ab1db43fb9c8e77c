import { readFile, writeFile } from 'node:fs/promises'
import { z } from 'zod'

/** One test of a suite, directly and through the gateway. */
export interface Result {
  name: string
  direct: 'ok' | 'failed'
  through: 'ok' | 'failed'
  /** Both gave the same, byte for byte: also where a test fails, it has to fail in the same way. */
  same: boolean
  /** Where they differ, as a diff. */
  difference?: string
}

export interface Score {
  suite: string
  version: string
  results: readonly Result[]
}

/** `216 of 217 the same, …`, and a line for each test that is not. */
export function summary({ suite, version, results }: Score): string {
  const same = results.filter((result) => result.same).length
  const count = (side: 'direct' | 'through') => results.filter((result) => result[side] === 'ok').length
  const lines = results
    .filter((result) => !result.same || result.direct !== result.through)
    .map(({ name, direct, through }) => `  ${name}: directly ${direct}, through the gateway ${through}`)
  const head = `${suite} (${version}): ${same} of ${results.length} the same; passed directly ${count('direct')}, through the gateway ${count('through')}`
  return [head, ...lines].join('\n')
}

function holds(result: Result): boolean {
  return result.same && result.direct === result.through
}

/** What a suite gave when it was last recorded. */
const Recorded = z.object({
  version: z.string(),
  tests: z.number().int(),
  same: z.number().int(),
  /** Those that did not give the same. */
  different: z.array(z.string()),
})
type Recorded = z.infer<typeof Recorded>

const file = new URL('./scores.json', import.meta.url)

export async function readScores(): Promise<Readonly<Record<string, Recorded>>> {
  return z.record(z.string(), Recorded).parse(JSON.parse(await readFile(file, 'utf8')))
}

/** Replaces the scores of these suites. */
export async function writeScores(scores: Readonly<Record<string, Score>>): Promise<void> {
  const next: Record<string, Recorded> = { ...(await readScores()) }
  for (const [name, { version, results }] of Object.entries(scores)) {
    const different = results.filter((result) => !holds(result)).map((result) => result.name)
    next[name] = { version, tests: results.length, same: results.length - different.length, different }
  }
  await writeFile(file, `${JSON.stringify(next, null, 2)}\n`)
}

/** Where a score is worse than the recorded one, a line each. `whole`: no test was left out on purpose. */
export function kept(recorded: Recorded | undefined, { results }: Score, whole: boolean): string[] {
  const known = new Set(recorded?.different)
  const lost = results.filter((result) => !holds(result) && !known.has(result.name)).map((result) => result.name)
  if (results.length === 0) lost.push('no test ran')
  if (whole && recorded !== undefined && results.length < recorded.tests) {
    lost.push(`${results.length} tests ran, and ${recorded.tests} did before`)
  }
  return lost
}
