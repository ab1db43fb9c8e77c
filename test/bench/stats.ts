export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle]
  const lower = sorted[middle - 1]
  if (upper === undefined) return Number.NaN
  return sorted.length % 2 === 1 || lower === undefined ? upper : (lower + upper) / 2
}

/**
 * Figures of several ways of doing the same, taken in turn so that a drifting machine is felt by all alike. One round before them is
 * not counted: an engine that compiles what it runs is slow at first, and a gateway runs for weeks.
 */
export async function inTurn<Name extends string>(
  ways: Readonly<Record<Name, () => Promise<number>>>,
  rounds: number,
): Promise<Record<Name, number[]>> {
  const names = Object.keys(ways) as Name[]
  const figures = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>
  for (let round = -1; round < rounds; round += 1) {
    for (const name of round % 2 === 0 ? names : [...names].reverse()) {
      const figure = await ways[name]()
      if (round >= 0) figures[name].push(figure)
    }
  }
  return figures
}

export interface Row {
  what: string
  way: string
  value: number
  unit: string
  /** Ratio to the yardstick, 1 being as good as it; undefined for the yardstick itself. */
  ratio?: number
  against?: string
}

export function table(rows: readonly Row[]): string {
  const cells = rows.map((row) => [
    row.what,
    row.way,
    `${row.value >= 100 ? Math.round(row.value).toLocaleString('en-US') : row.value.toFixed(2)} ${row.unit}`,
    row.ratio === undefined ? '' : `${row.ratio.toFixed(2)} of ${row.against ?? ''}`,
  ])
  const all = [['what', 'way', 'median', 'ratio'], ['---', '---', '---', '---'], ...cells]
  const widths = [0, 1, 2, 3].map((i) => Math.max(...all.map((row) => row[i]?.length ?? 0)))
  return all.map((row) => `| ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`).join('\n')
}
