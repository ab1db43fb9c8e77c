/**
 * Whether a reason has what a policy's pattern (RE2) asks for; undefined where this engine can't read the pattern, and the gateway's
 * word is waited for.
 */
export function reasonFits(pattern: string, reason: string): boolean | undefined {
  const insensitive = pattern.startsWith('(?i)')
  try {
    return new RegExp(insensitive ? pattern.slice(4) : pattern, insensitive ? 'iu' : 'u').test(reason)
  } catch {
    // RE2 and this engine differ in places; what the gateway says holds.
    return undefined
  }
}

export const leastReason = 3

/** What is wrong with a reason, in words; undefined when it can be sent. */
export function reasonProblem(reason: string, patterns: readonly string[]): string | undefined {
  const text = reason.trim()
  if (text.length < leastReason) return 'Say why: reviewers decide by it.'
  const missed = patterns.find((pattern) => reasonFits(pattern, text) === false)
  return missed === undefined ? undefined : `The policy wants ${example(missed)} in it, such as a ticket.`
}

/** A pattern as people read it. `^INC-\d+$` stays what it is: whoever wrote it knows it. */
export function example(pattern: string): string {
  return pattern.replace(/^\(\?i\)/, '').replace(/\\b/g, '')
}
