import { describe, expect, test } from 'vitest'
import { indexCatalog } from './complete/catalog.ts'
import { fixFor } from './fixes.ts'

const column = (name: string, dataClass?: string) => ({
  name,
  type: 'text',
  notNull: false,
  masked: dataClass !== undefined,
  ...(dataClass === undefined ? {} : { dataClass }),
})
const index = indexCatalog({
  tables: [
    {
      schema: 'public',
      name: 'payments',
      kind: 'table',
      columns: [column('id'), column('batch_id'), column('card', 'card_number')],
    },
  ],
  keys: [],
  functions: [],
  types: [],
})

/** The statement after its fix, and what the button says. */
function fixed(text: string, nearby: string[] = [], blocked: Partial<Parameters<typeof fixFor>[1]> = {}) {
  const fix = fixFor(text, { message: '', ...blocked }, nearby, index)
  if (fix === undefined) return undefined
  return {
    button: [fix.label, fix.code, fix.after].filter(Boolean).join(' '),
    text: text.slice(0, fix.start) + fix.text + text.slice(fix.end),
    open: fix.open,
  }
}

describe('a WHERE that is missing', () => {
  test('is that of a statement beside it on the same table, and what that compares with constants', () => {
    const beside = "DELETE FROM payments WHERE batch_id = 'rt-1' AND duplicate_of IS NOT NULL AND id = 7;"
    expect(fixed("UPDATE payments SET status = 'void'", [beside])).toEqual({
      button: "Add WHERE batch_id = 'rt-1' AND id = 7",
      text: "UPDATE payments SET status = 'void' WHERE batch_id = 'rt-1' AND id = 7",
      open: false,
    })
    const joined = "SELECT * FROM customers c JOIN payments p ON p.id = c.id WHERE p.batch_id = 'rt-2' AND c.id = 9"
    expect(fixed('DELETE FROM payments', [joined])?.text).toBe("DELETE FROM payments WHERE batch_id = 'rt-2'")
  })

  test.each([
    ['another table', 'SELECT * FROM orders WHERE id = 7'],
    ['either of two', 'SELECT * FROM payments WHERE id = 7 OR id = 8'],
    ['a column that is masked', "SELECT * FROM payments WHERE card = '4111'"],
    ['a column that it has not', 'SELECT * FROM payments WHERE amount = 3'],
    ['something computed', 'SELECT * FROM payments WHERE id = 7 + 1'],
    ['whose column is not said', 'SELECT * FROM payments, orders WHERE id = 7'],
    ['what a button has no room for', `SELECT * FROM payments WHERE batch_id = '${'x'.repeat(60)}'`],
  ])('is left to be written, where beside it there is %s', (_, beside) => {
    expect(fixed('DELETE FROM payments', [beside])).toEqual({
      button: 'Add WHERE…',
      text: 'DELETE FROM payments WHERE ',
      open: true,
    })
  })

  test('goes before RETURNING, on a line of its own where there are lines, and names its table where there are two', () => {
    const beside = ['SELECT 1 FROM payments WHERE id = 7']
    expect(fixed('DELETE FROM payments\nRETURNING id', beside)?.text).toBe(
      'DELETE FROM payments\nWHERE id = 7\nRETURNING id',
    )
    expect(fixed('UPDATE payments p SET id = o.id FROM orders o', beside)?.text).toBe(
      'UPDATE payments p SET id = o.id FROM orders o WHERE p.id = 7',
    )
  })

  test('is not missing in a statement that has one, nor in what needs none; one in a subquery is not its own', () => {
    expect(fixed('UPDATE payments SET id = 1 WHERE id = 2')).toBeUndefined()
    expect(fixed('SELECT * FROM payments')).toBeUndefined()
    expect(fixed('TRUNCATE payments')).toBeUndefined()
    expect(fixed('WITH x AS (SELECT 1 WHERE true) DELETE FROM payments')?.open).toBe(true)
    expect(fixed('DELETE FROM payments -- WHERE id = 1\n')?.text).toBe('DELETE FROM payments\nWHERE  -- WHERE id = 1\n')
  })
})

describe('a masked column that is computed with', () => {
  const blocked = (position: number, source = 'public.customers.email') => ({
    columns: [
      { source, label: 'x', position, dataClass: 'email', policy: { id: 'pii', reason: '' }, requestable: true },
    ],
  })
  test('is selected as it is, under the name that it was given', () => {
    expect(fixed('SELECT id, upper(c.email) AS mail FROM customers c', [], blocked(1))).toEqual({
      button: 'Select c.email as it is',
      text: 'SELECT id, c.email AS mail FROM customers c',
      open: false,
    })
  })

  test('is left alone where it can’t be told which it is', () => {
    expect(fixed('SELECT *, upper(email) FROM customers', [], blocked(9))).toBeUndefined()
    expect(fixed('SELECT a.*, upper(email) FROM customers a', [], blocked(1))).toBeUndefined()
    expect(fixed('SELECT upper(email) FROM a UNION SELECT 1', [], blocked(0))).toBeUndefined()
    expect(fixed('SELECT id FROM customers WHERE email LIKE $1', [], blocked(-1))).toBeUndefined()
    expect(fixed('SELECT email FROM customers', [], blocked(0))).toBeUndefined()
  })
})

test('a name that is nearly one of those there are is written so, in all places', () => {
  const message =
    "It can't be proved that it only reads. no column p.batchid is known in the tables that it reads. Nothing ran."
  expect(fixed('SELECT p.batchid FROM payments p WHERE p.batchid > 1', [], { message })).toEqual({
    button: 'Write batch_id',
    text: 'SELECT p.batch_id FROM payments p WHERE p.batch_id > 1',
    open: false,
  })
})
