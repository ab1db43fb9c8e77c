import { expect, test } from 'vitest'
import type { ResultColumn } from '../../../shared/rpc/contract.ts'
import { columnWidths, grown, numberWidth } from './widths.ts'

const column = (name: string, type: string): ResultColumn => ({ name, type })
const none: ReadonlySet<number> = new Set()

test('a column is as wide as what is in it, its name whole, and no wider than can be read', () => {
  const columns = [column('id', 'int4'), column('customer_reference', 'text'), column('note', 'text')]
  const [id, reference, note] = columnWidths(columns, [['1', null, 'x'.repeat(500)]], none)
  expect(id).toBe(56)
  expect(reference).toBe(148)
  expect(note).toBe(340)
})

test('an icon in the header has its room beside the name', () => {
  const columns = [column('a_long_column_name', 'text')]
  const [plain = 0] = columnWidths(columns, [['x']], none)
  expect(columnWidths(columns, [['x']], new Set([0]))).toEqual([plain + 19])
})

test('before there are rows it is what the type usually holds', () => {
  expect(columnWidths([column('id', 'int4'), column('at', 'timestamptz')], undefined, none)).toEqual([96, 210])
})

test('numbers and dates of later rows are never cut, and text stays as wide as it was', () => {
  const columns = [column('id', 'int8'), column('note', 'text'), column('at', 'date')]
  expect(grown(columns, [['1000000', 'a long text', '2026-11-30']], [56, 56, 210])).toEqual([{ column: 0, width: 73 }])
  expect(grown(columns, [['1', '', null]], [56, 56, 210])).toEqual([])
  expect(numberWidth(9_999)).toBe(44)
  expect(numberWidth(10_000)).toBe(64)
  expect(numberWidth(1_000_000)).toBeGreaterThan(64)
})
