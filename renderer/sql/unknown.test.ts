import { describe, expect, test } from 'vitest'
import { indexCatalog } from './complete/catalog.ts'
import { meantBy, unknownIn } from './unknown.ts'

const column = (name: string) => ({ name, type: 'text', notNull: false, masked: false })
const table = (name: string, ...columns: string[]) => ({
  schema: 'public',
  name,
  kind: 'table' as const,
  columns: columns.map(column),
})
const routine = (name: string) => ({ schema: 'pg_catalog', name, kind: 'function' as const, signatures: [] })
const index = indexCatalog({
  tables: [table('customers', 'id', 'name', 'Full Name'), table('orders', 'id', 'status')],
  keys: [],
  functions: [routine('upper'), routine('lower')],
  types: [],
})

const unproven = "The gateway can't tell all that this statement does. "
const noColumn = (name: string) => `${unproven}no column ${name} is known in the tables that it reads. Nothing ran.`

/** What is under the waves, and what would be written instead. */
function read(text: string, why: string) {
  const unknown = unknownIn(text, why)
  return (
    unknown && {
      words: [unknown.short, unknown.sentence],
      under: unknown.spans.map(({ start, end }) => text.slice(start, end)),
      meant: meantBy(text, unknown, index),
    }
  )
}

describe('a name that is not known', () => {
  test('is the word itself, wherever it stands, and what it was meant to be', () => {
    expect(read('SELECT naem FROM customers WHERE NAEM > 1', noColumn('naem'))).toEqual({
      words: ['no column naem', 'No column naem is known in the tables that it reads.'],
      under: ['naem', 'NAEM'],
      meant: 'name',
    })
    expect(read('SELECT o.statsu, c.statsu FROM orders o, customers c', noColumn('o.statsu'))).toMatchObject({
      under: ['statsu'],
      meant: 'status',
    })
    const said = "No column sttus is known in orders, so it can't be proved that it shows nothing masked. Nothing ran."
    expect(read("UPDATE orders SET sttus = 'x' WHERE id = 1", said)).toMatchObject({
      words: ['no column sttus', 'No column sttus is known in orders.'],
      meant: 'status',
    })
  })

  test('is read from what PostgreSQL says as well', () => {
    expect(read('SELECT * FROM custmers', 'relation "custmers" does not exist')).toMatchObject({ meant: 'customers' })
    const qualified = 'relation "public.custmers" does not exist'
    expect(read('SELECT * FROM public.custmers', qualified)).toMatchObject({ under: ['custmers'], meant: 'customers' })
    expect(read('SELECT o.statsu FROM orders o', 'column o.statsu does not exist')).toMatchObject({ meant: 'status' })
    const ofTable = 'column "sttus" of relation "orders" does not exist'
    expect(read("UPDATE orders SET sttus = 'x'", ofTable)).toMatchObject({ under: ['sttus'], meant: 'status' })
    const noFunction = 'function uper(text, integer) does not exist'
    expect(read('SELECT uper(name, 1) FROM customers', noFunction)).toMatchObject({ meant: 'upper' })
    expect(read('SELECT 1', 'role "custmers" does not exist')).toBeUndefined()
  })

  test('may be a table or a function', () => {
    const noTable = `${unproven}no table or view public.custmers is known on this connection. Nothing ran.`
    expect(read('SELECT * FROM public.custmers', noTable)).toMatchObject({ under: ['custmers'], meant: 'customers' })
    const noFunction = `${unproven}the function uper is not known here. Nothing ran.`
    expect(read('SELECT uper(name) FROM customers', noFunction)).toMatchObject({ under: ['uper'], meant: 'upper' })
  })

  test('without one that is near, or with two, nothing is guessed', () => {
    expect(read('SELECT quantity FROM customers', noColumn('quantity'))).toMatchObject({ meant: undefined })
    const noFunction = 'the function ower is not known here'
    expect(read('SELECT ower(name)', noFunction)?.meant).toBe('lower')
    expect(read('SELECT pper(name), l', 'the function pper is not known here')?.meant).toBe('upper')
    expect(read('SELECT i FROM customers c, orders o', noColumn('i'))).toMatchObject({ meant: 'id' })
  })

  test('other words are nobody’s name', () => {
    expect(unknownIn('SELECT 1', `${unproven}it holds SQL that can’t be read. Nothing ran.`)).toBeUndefined()
    expect(unknownIn("SELECT 'naem'", noColumn('naem'))).toBeUndefined()
  })
})
