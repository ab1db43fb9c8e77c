import type { ResultColumn } from '../../../shared/rpc/contract.ts'
import { jsonValue, numberTypes, uniqueNames } from '../../../shared/sql/values.ts'
import { dottedName, isName, quoteName, skipWords, tokenize } from '../complete/tokens.ts'

type Row = readonly (string | null)[]

export type CopyFormat = 'text' | 'names' | 'csv' | 'json' | 'markdown' | 'insert'

export const copyNames: Readonly<Record<CopyFormat, string>> = {
  text: 'Copy',
  names: 'Copy with column names',
  csv: 'Copy as CSV',
  json: 'Copy as JSON',
  markdown: 'Copy as Markdown',
  insert: 'Copy as INSERT',
}

/** Cells as text for the clipboard. They are copied as they were let through: what is masked stays masked, and INSERT says so. */
export function copied(
  format: CopyFormat,
  columns: readonly ResultColumn[],
  rows: readonly Row[],
  table: string,
): string {
  switch (format) {
    case 'text':
      return rows.length === 1 && columns.length === 1 ? (rows[0]?.[0] ?? '') : lines(rows.map(tabbed))
    case 'names':
      return lines([tabbed(columns.map((c) => c.name)), ...rows.map(tabbed)])
    case 'csv':
      return lines([columns.map((c) => csvField(c.name)).join(','), ...rows.map(csvLine)])
    case 'json':
      return jsonRows(columns, rows)
    case 'markdown':
      return markdown(columns, rows)
    case 'insert':
      return insert(columns, rows, table)
    default:
      return format satisfies never
  }
}

function lines(all: readonly string[]): string {
  return all.join('\n')
}

/** Tabs and line ends within a cell would make more cells where it is pasted. */
function tabbed(row: Row): string {
  return row.map((cell) => (cell === null ? '' : /[\t\r\n]/.test(cell) ? quoted(cell) : cell)).join('\t')
}

function csvLine(row: Row): string {
  return row.map((cell) => (cell === null ? '' : csvField(cell))).join(',')
}

function csvField(text: string): string {
  return text === '' || /[",\r\n]/.test(text) ? quoted(text) : text
}

function quoted(text: string): string {
  return `"${text.replaceAll('"', '""')}"`
}

function jsonRows(columns: readonly ResultColumn[], rows: readonly Row[]): string {
  const names = uniqueNames(columns.map((c) => c.name)).map((name) => JSON.stringify(name))
  const all = rows.map((row) => {
    const members = columns.map((column, i) => `${names[i]}: ${jsonValue(row[i] ?? null, column)}`)
    return `  { ${members.join(', ')} }`
  })
  return `[\n${all.join(',\n')}\n]`
}

function markdown(columns: readonly ResultColumn[], rows: readonly Row[]): string {
  const row = (cells: Row) =>
    `| ${cells.map((c) => (c ?? 'NULL').replaceAll('|', '\\|').replace(/\r?\n/g, '<br>')).join(' | ')} |`
  const rule = `| ${columns.map((c) => (numberTypes.has(c.type) ? '---:' : '---')).join(' | ')} |`
  return lines([row(columns.map((c) => c.name)), rule, ...rows.map(row)])
}

function insert(columns: readonly ResultColumn[], rows: readonly Row[], table: string): string {
  const hidden = columns.filter((c) => c.masked !== undefined).map((c) => c.name)
  const names = columns.map((c) => quoteName(c.name)).join(', ')
  const values = rows.map((row) => `  (${columns.map((column, i) => literal(row[i] ?? null, column)).join(', ')})`)
  const warning =
    hidden.length === 0 ? [] : [`-- Masked, not the real values: ${hidden.join(', ').replace(/\s/g, ' ')}`]
  return lines([...warning, `INSERT INTO ${table} (${names}) VALUES`, `${values.join(',\n')};`])
}

/** A literal that means the same whatever `standard_conforming_strings` is. */
function literal(cell: string | null, { type, masked }: ResultColumn): string {
  if (cell === null) return 'NULL'
  if (masked === undefined && numberTypes.has(type) && /^-?[\d.]+(e[+-]?\d+)?$/.test(cell)) return cell
  const text = cell.replaceAll("'", "''")
  return text.includes('\\') ? `E'${text.replaceAll('\\', '\\\\')}'` : `'${text}'`
}

/** The table that a statement names first, as it must be written again; `result` where it names none. */
export function insertTarget(statement: string): string {
  const tokens = tokenize(statement)
  const words = ['from', 'into', 'update']
  const at = tokens.findIndex((t, i) => t.kind === 'word' && words.includes(t.text) && isName(tokens[i + 1]))
  if (at === -1) return 'result'
  const names = dottedName(tokens, skipWords(tokens, at + 1, ['only']))
  return names.map((name) => quoteName(name.text)).join('.')
}
