import { RE2JS } from 're2js'

/** Patterns that a reason must match (`@reason_pattern`), in RE2's syntax: linear time, whatever the pattern and the reason. */

/** What is wrong with a pattern; undefined when nothing is. */
export function patternProblem(pattern: string): string | undefined {
  try {
    RE2JS.compile(pattern)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** Whether the pattern is found in the reason. A pattern that can't be read fits nothing. */
export function reasonFits(pattern: string, reason: string): boolean {
  return patternProblem(pattern) === undefined && RE2JS.compile(pattern).matcher(reason).find()
}
