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

export function isPerfect({ results }: Score): boolean {
  return results.length > 0 && results.every((result) => result.same && result.direct === result.through)
}
