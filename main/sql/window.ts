import type { Row } from './result.ts'

interface Window {
  rows: (string | null)[][]
  /** Cells that are longer than what is given of them, by their row in the result. */
  long: { row: number; column: number; length: number }[]
}

/** Rows for the screen, which shows little of a long value: cells over `most` characters are cut, and told of. */
export function shortened(rows: readonly Row[], first: number, most = Number.POSITIVE_INFINITY): Window {
  const long: Window['long'] = []
  const shown = rows.map((row, i) =>
    row.map((cell, column) => {
      if (cell === null || cell.length <= most) return cell
      long.push({ row: first + i, column, length: cell.length })
      return cell.slice(0, most)
    }),
  )
  return { rows: shown, long }
}
