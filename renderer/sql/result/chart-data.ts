import type { ResultColumn } from '../../../shared/rpc/contract.ts'

type Row = readonly (string | null)[]

/** Rows that a chart shows at most: beyond, one sees no more and waits longer. */
export const chartRows = 2_000

const numbers = new Set(['int2', 'int4', 'int8', 'float4', 'float8', 'numeric', 'money'])

export interface ChartChoice {
  /** The column along the bottom, and those that are drawn. */
  x: number
  y: readonly number[]
}

/** Columns that can be drawn: numbers, in the clear. */
export function numeric(columns: readonly ResultColumn[]): number[] {
  return columns.flatMap((c, i) => (c.masked === undefined && numbers.has(c.type) ? [i] : []))
}

/**
 * A first choice: the first column that is no number against the first that is; undefined when there is nothing to draw. Nothing is told
 * apart along yes and no, so they are the last to be chosen.
 */
export function firstChoice(columns: readonly ResultColumn[]): ChartChoice | undefined {
  const drawn = numeric(columns)
  const clear = columns.flatMap((c, i) => (c.masked === undefined ? [i] : []))
  const x = clear.find((i) => !drawn.includes(i) && columns[i]?.type !== 'bool') ?? drawn[0] ?? clear[0]
  const y = drawn.find((i) => i !== x) ?? drawn[0]
  return x === undefined || y === undefined ? undefined : { x, y: [y] }
}

/** Rows as the chart takes them: `x`, and a number under `y0`, `y1`… NULL is a gap. */
export function chartData(rows: readonly Row[], { x, y }: ChartChoice): Record<string, string | number | null>[] {
  const days = rows.every((row) => midnight.test(row[x] ?? '0001-01-01 00:00:00'))
  return rows.map((row) => {
    const label = row[x] ?? 'NULL'
    const point: Record<string, string | number | null> = { x: days ? label.replace(midnight, '$1') : label }
    for (const [i, column] of y.entries()) point[`y${i}`] = toNumber(row[column] ?? null)
    return point
  })
}

/** Where all of them begin a day, the days are what is told apart. */
const midnight = /^(\d{4,}-\d\d-\d\d)[ T]00:00:00(?:\.0+)?(?:[+-]\d\d(?::?\d\d)?)?$/

/** A number beside an axis or in a tip: no more digits than can be read. */
export function shownNumber(value: number): string {
  return value.toLocaleString('en-GB', { maximumSignificantDigits: 8 })
}

/** Pixels that the longest number beside the axis takes. */
export function axisWidth(points: readonly Record<string, string | number | null>[]): number {
  const all = points.flatMap((point) => Object.values(point).filter((v): v is number => typeof v === 'number'))
  const most = all.reduce((a, b) => Math.max(a, Math.abs(b)), 0)
  // Above the largest comes a round one, and below zero a sign.
  const digits = Math.max(shownNumber(Math.ceil(most)).length + (all.some((v) => v < 0) ? 1 : 0), 4)
  return Math.min(160, 20 + digits * 7.5)
}

function toNumber(cell: string | null): number | null {
  if (cell === null) return null
  const n = Number(cell.replace(/[$€£,\s]/g, ''))
  return Number.isFinite(n) ? n : null
}
