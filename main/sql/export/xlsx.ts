import { strFromU8, strToU8, unzipSync, Zip, ZipDeflate } from 'fflate'
import writeExcelFile from 'write-excel-file/node'
import type { ResultColumn } from '../../../shared/rpc/contract.ts'
import { isExactNumber, numberTypes, uniqueNames } from '../../../shared/sql/values.ts'
import { fail } from '../../problem.ts'
import type { Row } from '../result.ts'
import type { Table } from './format.ts'

/** Limits of the format itself: rows of a sheet, and characters of a cell. Source: Excel specifications and limits. */
export const maxSheetRows = 1_048_576
const maxCell = 32_767
const maxColumns = 16_384

const sheetPath = 'xl/worksheets/sheet1.xml'

/**
 * A workbook with one sheet. The library writes all of it but the rows: it would hold every cell in memory, so they are put into
 * its sheet as they are read, and zipped as they go.
 */
export async function* encodeXlsx(table: Table): AsyncGenerator<Uint8Array, void, void> {
  checkSize(table)
  const { files, before, after, looks } = await template(table.columns)
  const ready: Uint8Array[] = []
  const zip = new Zip((error, chunk) => {
    if (error !== null) throw error
    ready.push(chunk)
  })
  for (const [path, bytes] of Object.entries(files)) {
    if (path !== sheetPath) add(zip, path).push(bytes, true)
  }
  const entry = add(zip, sheetPath)
  entry.push(strToU8(before))
  // The header is row 1.
  let number = 2
  for await (const rows of table.pages) {
    let xml = ''
    for (const row of rows) {
      xml += rowXml(row, number, table.columns, looks)
      number += 1
    }
    entry.push(strToU8(xml))
    yield* ready.splice(0)
  }
  entry.push(strToU8(after), true)
  zip.end()
  yield* ready.splice(0)
}

function add(zip: Zip, path: string): ZipDeflate {
  const entry = new ZipDeflate(path, { level: 3 })
  zip.add(entry)
  return entry
}

function checkSize({ rows, columns }: Table): void {
  const hint = 'Export as CSV or JSON.'
  if (rows > maxSheetRows - 1) {
    const most = (maxSheetRows - 1).toLocaleString('en')
    throw fail('bad-input', `A sheet holds ${most} rows, and this result has ${rows.toLocaleString('en')}.`, { hint })
  }
  if (columns.length > maxColumns) throw fail('bad-input', `A sheet holds ${maxColumns} columns.`, { hint })
}

/** Looks of cells that the library writes, by their number in its styles. */
interface Looks {
  /** Numbers with so many places behind the point: `12.50` stays `12.50`. */
  places: readonly number[]
  date: number
  time: number
}

const mostPlaces = 12
const formats = {
  places: Array.from({ length: mostPlaces }, (_, i) => `0.${'0'.repeat(i + 1)}`),
  date: 'yyyy-mm-dd',
  time: 'yyyy-mm-dd hh:mm:ss.000',
}

/** All of a workbook but its rows, and the looks that these may have: read from a row of samples, which is left out again. */
async function template(columns: readonly ResultColumn[]): Promise<{
  files: Record<string, Uint8Array>
  before: string
  after: string
  looks: Looks
}> {
  const names = uniqueNames(columns.map((column) => column.name))
  const header = names.map((value) => ({ value: escaped(value), fontWeight: 'bold' as const, type: String }))
  const widths = columns.map(({ type }, i) => ({
    width: Math.min(60, Math.max(usualWidth(type), (names[i] ?? '').length + 3)),
  }))
  const samples = [...formats.places, formats.date, formats.time].map((format) => ({ value: 1, type: Number, format }))
  const book = writeExcelFile([header, samples], { columns: widths, stickyRowsCount: 1, sheet: 'Result' })
  const files = unzipSync(await book.toBuffer())
  const sheet = strFromU8(files[sheetPath] ?? new Uint8Array())
  const parts = /^([\s\S]*)<row r="2">([\s\S]*?)<\/row>(<\/sheetData>[\s\S]*)$/.exec(sheet)
  const [, before, row, after] = parts ?? []
  const styles = [...(row ?? '').matchAll(/ s="(\d+)"/g)].map((match) => Number(match[1]))
  const [time, date] = [styles.pop(), styles.pop()]
  if (before === undefined || after === undefined || time === undefined || date === undefined) {
    throw fail('failed', 'The workbook could not be begun.')
  }
  return { files, before, after, looks: { places: styles, date, time } }
}

/** In characters. Excel shows a date that has no room as `####`, and cuts other texts. */
function usualWidth(type: string): number {
  if (type.startsWith('timestamp')) return 30
  if (type === 'uuid') return 38
  return numberTypes.has(type) || type === 'bool' || type === 'date' ? 14 : 24
}

function rowXml(row: Row, number: number, columns: readonly ResultColumn[], looks: Looks): string {
  let xml = `<row r="${number}">`
  for (const [i, column] of columns.entries()) {
    const cell = row[i] ?? null
    if (cell !== null) xml += cellXml(cell, `${letters(i)}${number}`, column, looks)
  }
  return `${xml}</row>`
}

/** Numbers that Excel holds exactly (15 digits) and dates that it can count are such, all else is text: nothing here is ever a formula. */
function cellXml(cell: string, at: string, { name, type, masked }: ResultColumn, looks: Looks): string {
  const typed = masked === undefined ? typedCell(cell, type, looks) : undefined
  if (typed !== undefined) return `<c r="${at}"${typed}</c>`
  if (cell.length > maxCell) {
    const words = `${name} in cell ${at} has ${cell.length.toLocaleString('en')} characters; a cell holds ${maxCell.toLocaleString('en')}.`
    throw fail('bad-input', words, { hint: 'Export as CSV or JSON.' })
  }
  return `<c r="${at}" t="inlineStr"><is><t xml:space="preserve">${xmlText(cell)}</t></is></c>`
}

/** The rest of a cell's element, where the value is more than text; undefined where it is not, or would lose something. */
function typedCell(cell: string, type: string, looks: Looks): string | undefined {
  if (type === 'bool') return ` t="b"><v>${cell === 't' ? 1 : 0}</v>`
  if (numberTypes.has(type)) {
    if (cell.replace(/\D/g, '').length > 15 || !isExactNumber(cell)) return undefined
    const places = /^-?\d+\.(\d+)$/.exec(cell)?.[1]?.length
    const look = places === undefined || !cell.endsWith('0') ? undefined : looks.places[places - 1]
    return `${look === undefined ? '' : ` s="${look}"`}><v>${cell}</v>`
  }
  const day = type === 'date' || type === 'timestamp' ? dayOf(cell) : undefined
  return day === undefined ? undefined : ` s="${type === 'date' ? looks.date : looks.time}"><v>${day}</v>`
}

const dayMs = 86_400_000
/** Excel's day 0, and the first day from which its count is right: it takes 1900 for a leap year. */
const dayZero = Date.UTC(1899, 11, 30)
const firstDay = 61

/** A date, or a time without zone of no more than milliseconds, as Excel counts days. */
function dayOf(cell: string): number | undefined {
  const match = /^(\d{4}-\d\d-\d\d)(?: (\d\d:\d\d:\d\d(?:\.\d{1,3})?))?$/.exec(cell)
  if (match === null) return undefined
  const day = (Date.parse(`${match[1]}T${match[2] ?? '00:00:00'}Z`) - dayZero) / dayMs
  return day >= firstDay ? day : undefined
}

const named: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' }

function xmlText(text: string): string {
  return escaped(text).replace(/[&<>]/g, (char) => named[char] ?? char)
}

/** What XML 1.0 can't hold is written as `_xHHHH_`, and so is a text that looks like that. Source: ECMA-376, ST_Xstring. */
function escaped(text: string): string {
  return (
    text
      .replace(/_(?=x[0-9A-Fa-f]{4}_)/g, '_x005F_')
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
      .replace(/[\u0000-\u0008\u000b\u000c\u000d\u000e-\u001f\ufffe\uffff]/g, (char) => {
        return `_x${char.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}_`
      })
  )
}

/** 0 → A, 26 → AA. */
function letters(index: number): string {
  let text = ''
  for (let n = index + 1; n > 0; n = Math.floor((n - 1) / 26)) text = String.fromCharCode(65 + ((n - 1) % 26)) + text
  return text
}
