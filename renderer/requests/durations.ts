/** Offered lengths of access, in seconds. */
const offered = [900, 1800, 3600, 4 * 3600] as const

/** What may be asked for where at most `max` seconds are given, the longest being `max` itself. At most five. */
export function durationsUpTo(max: number): readonly number[] {
  return [...offered.filter((seconds) => seconds < max), max]
}

/** The length chosen where none was: half an hour, or all there is. */
export function usualDuration(max: number): number {
  return Math.min(1800, max)
}
