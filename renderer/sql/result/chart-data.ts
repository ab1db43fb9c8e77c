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

/** A first choice: the first column that is no number against the first that is; undefined when there is nothing to draw. */
export function firstChoice(columns: readonly ResultColumn[]): ChartChoice | undefined {
  const drawn = numeric(columns)
  const clear = columns.flatMap((c, i) => (c.masked === undefined ? [i] : []))
  const x = clear.find((i) => !drawn.includes(i)) ?? clear[0]
  const y = drawn.find((i) => i !== x) ?? drawn[0]
  return x === undefined || y === undefined ? undefined : { x, y: [y] }
}

/** Rows as the chart takes them: `x`, and a number under `y0`, `y1`… NULL is a gap. */
export function chartData(rows: readonly Row[], { x, y }: ChartChoice): Record<string, string | number | null>[] {
  return rows.map((row) => {
    const point: Record<string, string | number | null> = { x: row[x] ?? 'NULL' }
    for (const [i, column] of y.entries()) point[`y${i}`] = toNumber(row[column] ?? null)
    return point
  })
}

function toNumber(cell: string | null): number | null {
  if (cell === null) return null
  const n = Number(cell.replace(/[$€£,\s]/g, ''))
  return Number.isFinite(n) ? n : null
}
