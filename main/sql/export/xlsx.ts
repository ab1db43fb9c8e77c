import { strFromU8, strToU8, unzipSync, Zip, ZipDeflate } from 'fflate'
import writeExcelFile from 'write-excel-file/node'
import type { ResultColumn } from '../../../shared/rpc/contract.ts'
import { fail } from '../../problem.ts'
import type { Row } from '../result.ts'
import type { Table } from './format.ts'
import { isExactNumber, uniqueNames } from './json.ts'

/** Limits of the format itself: rows of a sheet, and characters of a cell. Source: Excel specifications and limits. */
export const maxSheetRows = 1_048_576
const maxCell = 32_767
const maxColumns = 16_384

const sheetPath = 'xl/worksheets/sheet1.xml'
const rowsEnd = '</sheetData>'

/**
 * A workbook with one sheet. The library writes all of it but the rows: it would hold every cell in memory, so they are put into
 * its sheet as they are read, and zipped as they go.
 */
export async function* encodeXlsx(table: Table): AsyncGenerator<Uint8Array, void, void> {
  checkSize(table)
  const files = await template(table.columns)
  const sheet = strFromU8(files[sheetPath] ?? new Uint8Array())
  const split = sheet.indexOf(rowsEnd)
  if (split === -1) throw fail('failed', 'The workbook could not be begun.')

  const ready: Uint8Array[] = []
  const zip = new Zip((error, chunk) => {
    if (error !== null) throw error
    ready.push(chunk)
  })
  for (const [path, bytes] of Object.entries(files)) {
    if (path !== sheetPath) add(zip, path).push(bytes, true)
  }
  const entry = add(zip, sheetPath)
  entry.push(strToU8(sheet.slice(0, split)))
  // The header is row 1.
  let number = 2
  for await (const rows of table.pages) {
    let xml = ''
    for (const row of rows) {
      xml += rowXml(row, number, table.columns)
      number += 1
    }
    entry.push(strToU8(xml))
    yield* ready.splice(0)
  }
  entry.push(strToU8(sheet.slice(split)), true)
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

async function template(columns: readonly ResultColumn[]): Promise<Record<string, Uint8Array>> {
  const names = uniqueNames(columns.map((column) => column.name))
  const header = names.map((value) => ({ value: escaped(value), fontWeight: 'bold' as const, type: String }))
  const widths = names.map((name) => ({ width: Math.min(60, Math.max(12, name.length + 3)) }))
  const book = writeExcelFile([header], { columns: widths, stickyRowsCount: 1, sheet: 'Result' })
  return unzipSync(await book.toBuffer())
}

const numbers = new Set(['int2', 'int4', 'int8', 'float4', 'float8', 'numeric', 'oid'])

function rowXml(row: Row, number: number, columns: readonly ResultColumn[]): string {
  let xml = `<row r="${number}">`
  for (const [i, column] of columns.entries()) {
    const cell = row[i] ?? null
    if (cell !== null) xml += cellXml(cell, `${letters(i)}${number}`, column)
  }
  return `${xml}</row>`
}

/** Numbers that Excel holds exactly (15 digits) are numbers, all else is text: nothing here is ever a formula. */
function cellXml(cell: string, at: string, { name, type, masked }: ResultColumn): string {
  if (masked === undefined && type === 'bool') return `<c r="${at}" t="b"><v>${cell === 't' ? 1 : 0}</v></c>`
  const digits = cell.replace(/\D/g, '').length
  if (masked === undefined && numbers.has(type) && digits <= 15 && isExactNumber(cell))
    return `<c r="${at}"><v>${cell}</v></c>`
  if (cell.length > maxCell) {
    const words = `${name} in cell ${at} has ${cell.length.toLocaleString('en')} characters; a cell holds ${maxCell.toLocaleString('en')}.`
    throw fail('bad-input', words, { hint: 'Export as CSV or JSON.' })
  }
  return `<c r="${at}" t="inlineStr"><is><t xml:space="preserve">${xmlText(cell)}</t></is></c>`
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
