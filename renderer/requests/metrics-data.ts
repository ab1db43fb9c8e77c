import type { RequestMetrics } from '../../shared/api/models.ts'

type Share = RequestMetrics['total']

/** One bar: outcomes of a day. Keys are the words of the legend. */
export interface DayBar {
  day: string
  Approved: number
  'By rule': number
  'Break-glass': number
  Denied: number
  Expired: number
  Cancelled: number
  Held: number
}

/** A bar for every day of the range, also for those on which nothing was asked. */
export function dayBars({ from, to, byDay }: Pick<RequestMetrics, 'from' | 'to' | 'byDay'>): DayBar[] {
  const known = new Map(byDay.map((share) => [share.day, share]))
  const bars: DayBar[] = []
  const last = to.slice(0, 10)
  for (let at = Date.parse(`${from.slice(0, 10)}T00:00:00Z`); bars.length < 400; at += 86_400_000) {
    const day = new Date(at).toISOString().slice(0, 10)
    if (day > last) break
    const share = known.get(day)
    bars.push({
      day: dayName(day),
      Approved: share === undefined ? 0 : byPeople(share),
      'By rule': share?.automatic ?? 0,
      'Break-glass': share?.breakGlass ?? 0,
      Denied: share?.denied ?? 0,
      Expired: share?.expired ?? 0,
      Cancelled: share?.cancelled ?? 0,
      Held: share?.pending ?? 0,
    })
  }
  return bars
}

function byPeople({ approved, automatic, breakGlass }: Share): number {
  return Math.max(0, approved - automatic - breakGlass)
}

/** `23 Nov`. */
function dayName(day: string): string {
  return new Date(`${day}T00:00:00Z`).toLocaleDateString('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' })
}

export interface TimeBar {
  name: string
  Median: number
  'Nine of ten': number
}

/**
 * Time to decision, slowest first, at most eight; what no person decided is left out. In the unit that the longest of them is
 * spoken of in.
 */
export function timeBars(shares: readonly (Share & { name: string })[]): { unit: 's' | 'min' | 'h'; bars: TimeBar[] } {
  const known = shares
    .flatMap(({ name, medianSeconds: median, p90Seconds }) =>
      median === undefined ? [] : [{ name, median, p90: p90Seconds ?? median }],
    )
    .toSorted((a, b) => b.median - a.median)
    .slice(0, 8)
  const longest = Math.max(0, ...known.map(({ median, p90 }) => Math.max(median, p90)))
  const unit = longest < 120 ? 's' : longest < 7200 ? 'min' : 'h'
  const scaled = (seconds: number) => Math.round((seconds / unitSeconds[unit]) * 100) / 100
  return {
    unit,
    bars: known.map(({ name, median, p90 }) => ({ name, Median: scaled(median), 'Nine of ten': scaled(p90) })),
  }
}

const unitSeconds = { s: 1, min: 60, h: 3600 } as const

/** `40 s`, `3 min 10 s`, `13 min`, `2 h 5 min`, or a dash. */
export function spanWords(seconds: number | undefined): string {
  if (seconds === undefined) return '–'
  const whole = Math.round(seconds)
  if (whole < 60) return `${whole} s`
  if (whole < 600) return whole % 60 === 0 ? `${whole / 60} min` : `${Math.floor(whole / 60)} min ${whole % 60} s`
  if (whole < 3570) return `${Math.round(whole / 60)} min`
  const minutes = Math.round(whole / 60)
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

/** `82%` of those that ended one way or the other. */
export function approvedShare({ approved, denied, expired }: Share): string {
  const ended = approved + denied + expired
  return ended === 0 ? '–' : `${Math.round((approved / ended) * 100)}%`
}
