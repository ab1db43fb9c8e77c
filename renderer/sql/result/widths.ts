import type { ResultColumn } from '../../../shared/rpc/contract.ts'
import { shownCell } from './cell.ts'
import { isNumber } from './fields.ts'

/** Of a cell's and a header's character, in the grid's own fonts. */
const cellChar = 7.25
const headChar = 7
/** Beside the text: padding and the border. */
const beside = 22
const icon = 19
const narrowest = 56
const widest = 340
/** Rows that are looked at: those of the first screen. */
const looked = 50

/** As wide as what is in a column; before rows are there, as what its type usually holds. */
export function columnWidths(
  columns: readonly ResultColumn[],
  rows: readonly (readonly (string | null)[])[] | undefined,
  sorted: ReadonlySet<number>,
): number[] {
  return columns.map((column, i) => {
    const icons = (column.masked === undefined ? 0 : 1) + (sorted.has(i) ? 1 : 0)
    const head = column.name.length * headChar + beside + icons * icon
    if (rows === undefined || rows.length === 0) return Math.ceil(Math.max(usual(column), head))
    let longest = 0
    for (const row of rows.slice(0, looked)) longest = Math.max(longest, shownCell(row[i] ?? null).length)
    const cells = Math.min(widest, longest * cellChar + beside)
    return Math.ceil(Math.max(narrowest, cells, head))
  })
}

/**
 * Of columns whose values say something else when they are cut (numbers, dates): how wide rows that came later make them. The others are
 * left as they are, so that what is read does not move.
 */
export function grown(
  columns: readonly ResultColumn[],
  rows: readonly (readonly (string | null)[])[],
  widths: readonly number[],
): { column: number; width: number }[] {
  return columns.flatMap((column, i) => {
    if (column.masked !== undefined || !(isNumber(column.type) || isTime(column.type))) return []
    let longest = 0
    for (const row of rows) longest = Math.max(longest, row[i]?.length ?? 0)
    const width = Math.ceil(Math.min(widest, longest * cellChar + beside))
    return width > (widths[i] ?? 0) ? [{ column: i, width }] : []
  })
}

/** Of the column with the numbers of `rows` rows. It grows in few steps: each moves all that is beside it. */
export function numberWidth(rows: number): number {
  return rows < 10_000 ? 44 : Math.max(64, Math.ceil(String(rows).length * cellChar + beside))
}

function isTime(type: string): boolean {
  return type === 'date' || type.startsWith('time')
}

function usual({ type, masked }: ResultColumn): number {
  if (masked !== undefined) return 190
  return isNumber(type) ? 96 : type.startsWith('timestamp') ? 210 : 160
}
