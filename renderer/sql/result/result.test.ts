import { expect, test } from 'vitest'
import type { ResultColumn, RunEvent } from '../../../shared/rpc/contract.ts'
import { beginAgain, project } from '../rerun.ts'
import { apply, begin, noRuns, type SqlState, type View } from '../run-state.ts'
import { hexLines, JsonNumber, jsonTree, kindOf, prettyJson, prettyXml, shownCell } from './cell.ts'
import { axisWidth, chartData, firstChoice, shownNumber } from './chart-data.ts'
import { copied, insertTarget } from './copy.ts'
import { exportable } from './exportable.ts'
import { columnLabel, shownSince } from './fields.ts'
import { boxOf, cellCount, extended, holds } from './selection.ts'

const masked = { dataClass: 'email', policyId: 'pii', reason: 'Personal data.', requestable: true }
const columns: ResultColumn[] = [
  { name: 'id', type: 'int4' },
  { name: 'User', type: 'text' },
  { name: 'email', type: 'text', masked },
]
const rows = [
  ['1', "O'Neil | a", 'o•••@•••.com'],
  ['2', null, 'b•••@•••.com'],
  ['3', 'two\nlines\\', null],
]

test('no value, an empty one and one of blanks are told apart in a cell, and nothing in it turns the rest around', () => {
  expect([null, '', '  ', ' a ', 'two\nlines', 'a\tb', '\u202Eevil'].map(shownCell)).toEqual([
    'null',
    'empty',
    '··',
    ' a ',
    'two↵lines',
    'a→b',
    '\\u{202e}evil',
  ])
})

test('a JSON tree keeps the digits of its numbers', () => {
  expect(jsonTree('{"id":9007199254740993,"price":1.10,"of":[null,true,"x"]}')?.value).toEqual({
    id: new JsonNumber('9007199254740993'),
    price: new JsonNumber('1.10'),
    of: [null, true, 'x'],
  })
  expect(jsonTree('{')).toBeUndefined()
})

test('text for the clipboard: one cell is bare, many are a table', () => {
  const [id] = columns
  expect(copied('text', id === undefined ? [] : [id], [['7']], 't')).toBe('7')
  expect(copied('text', columns, rows, 't')).toBe(
    '1\tO\'Neil | a\to•••@•••.com\n2\t\tb•••@•••.com\n3\t"two\nlines\\"\t',
  )
  expect(copied('names', columns, rows.slice(1, 2), 't')).toBe('id\tUser\temail\n2\t\tb•••@•••.com')
})

test('CSV, JSON and Markdown of a selection', () => {
  expect(copied('csv', columns, rows, 't')).toBe(
    'id,User,email\n1,O\'Neil | a,o•••@•••.com\n2,,b•••@•••.com\n3,"two\nlines\\",',
  )
  expect(JSON.parse(copied('json', columns, rows, 't'))).toEqual([
    { id: 1, User: "O'Neil | a", email: 'o•••@•••.com' },
    { id: 2, User: null, email: 'b•••@•••.com' },
    { id: 3, User: 'two\nlines\\', email: null },
  ])
  expect(copied('markdown', columns, rows, 't')).toBe(
    [
      '| id | User | email |',
      '| ---: | --- | --- |',
      "| 1 | O'Neil \\| a | o•••@•••.com |",
      '| 2 | NULL | b•••@•••.com |',
      '| 3 | two<br>lines\\ | NULL |',
    ].join('\n'),
  )
})

test('INSERT quotes what it holds, and says which values are masks', () => {
  expect(copied('insert', columns, rows, 'customers')).toBe(
    [
      '-- Masked, not the real values: email',
      'INSERT INTO customers (id, "User", email) VALUES',
      "  (1, 'O''Neil | a', 'o•••@•••.com'),",
      "  (2, NULL, 'b•••@•••.com'),",
      "  (3, E'two\nlines\\\\', NULL);",
    ].join('\n'),
  )
})

test('INSERT names the table and columns as they must be written, and JSON keeps what is JSON', () => {
  const odd: ResultColumn[] = [
    { name: 'user', type: 'text' },
    { name: 'user', type: 'jsonb' },
    { name: 'user_2', type: 'numeric' },
  ]
  const row = ['a', '{"b": [1]}', '12.50']
  expect(copied('insert', odd.slice(0, 1), [['a']], insertTarget('SELECT * FROM sales."Order Items" o'))).toBe(
    'INSERT INTO sales."Order Items" ("user") VALUES\n  (\'a\');',
  )
  expect(JSON.parse(copied('json', odd, [row], 't'))).toEqual([{ user: 'a', user_3: { b: [1] }, user_2: 12.5 }])
  expect(insertTarget("SELECT 'from x', count(*) FROM (SELECT 1 FROM only t) s")).toBe('t')
  expect(insertTarget('DELETE FROM public.orders RETURNING *')).toBe('public.orders')
  expect(insertTarget('SELECT 1')).toBe('result')
})

test('Shift with Home, End and Mod goes to the edges', () => {
  const at = { anchor: { row: 2, column: 1 }, head: { row: 2, column: 1 } }
  const size = { rows: 10, columns: 4 }
  const head = (key: string, far: boolean) => extended(at, key, size, far)?.head
  expect(head('End', false)).toEqual({ row: 2, column: 3 })
  expect(head('Home', false)).toEqual({ row: 2, column: 0 })
  expect(head('End', true)).toEqual({ row: 9, column: 3 })
  expect(head('Home', true)).toEqual({ row: 0, column: 0 })
  expect(head('ArrowDown', true)).toEqual({ row: 9, column: 1 })
  expect(head('ArrowUp', true)).toEqual({ row: 0, column: 1 })
  expect(head('ArrowLeft', true)).toEqual({ row: 2, column: 0 })
})

test('a selection is a rectangle that keys extend, within the result', () => {
  const at = { anchor: { row: 2, column: 1 }, head: { row: 2, column: 1 } }
  const wide = extended(at, 'ArrowLeft', { rows: 3, columns: 3 })
  const more = wide && extended(wide, 'PageDown', { rows: 3, columns: 3 })
  expect(more && boxOf(more)).toEqual({ top: 2, bottom: 2, left: 0, right: 1 })
  expect(more && cellCount(boxOf(more))).toBe(2)
  expect(holds(boxOf(at), { row: 2, column: 1 })).toBe(true)
  expect(holds(boxOf(at), { row: 2, column: 2 })).toBe(false)
  expect(extended(at, 'x', { rows: 3, columns: 3 })).toBeUndefined()
})

test('a value is shown by what it is; what is masked is only text', () => {
  const text: ResultColumn = { name: 'v', type: 'text' }
  expect(kindOf('{"a":1}', text)).toBe('json')
  expect(kindOf('{not json}', text)).toBe('text')
  expect(kindOf('<a><b/></a>', text)).toBe('xml')
  expect(kindOf('a < b', text)).toBe('text')
  expect(kindOf('\\x00ff', { name: 'v', type: 'bytea' })).toBe('binary')
  expect(kindOf('{"a":1}', { ...text, type: 'jsonb', masked })).toBe('text')
})

test('JSON is formatted without a digit or a key lost', () => {
  const text = '{"n":12345678901234567890,"n":1.10,"s":"a\\"{,}","e":{},"l":[1,[]]}'
  expect(prettyJson(text)).toBe(
    [
      '{',
      '  "n": 12345678901234567890,',
      '  "n": 1.10,',
      '  "s": "a\\"{,}",',
      '  "e": {},',
      '  "l": [',
      '    1,',
      '    []',
      '  ]',
      '}',
    ].join('\n'),
  )
})

test('XML and bytes', () => {
  expect(prettyXml('<?xml version="1.0"?><a><b x="1">t</b><c/></a>')).toBe(
    ['<?xml version="1.0"?>', '<a>', '  <b x="1">t</b>', '  <c/>', '</a>'].join('\n'),
  )
  expect(hexLines(`\\x${'48'.repeat(16)}000a7e`, 1000)).toEqual([
    `00000000  ${Array.from({ length: 16 }, () => '48').join(' ')}  HHHHHHHHHHHHHHHH`,
    `00000010  ${'00 0a 7e'.padEnd(47)}  ..~`,
  ])
  expect(hexLines(`\\x${'00'.repeat(64)}`, 32)).toHaveLength(2)
})

test('a chart draws numbers in the clear, and NULL is a gap', () => {
  const about: ResultColumn[] = [
    { name: 'country', type: 'text' },
    { name: 'salary', type: 'numeric', masked },
    { name: 'orders', type: 'int8' },
  ]
  expect(firstChoice(about)).toEqual({ x: 0, y: [2] })
  expect(firstChoice(about.slice(0, 2))).toBeUndefined()
  const sure = { name: 'sure', type: 'bool' }
  const n = { name: 'n', type: 'int4' }
  const at = { name: 'at', type: 'date' }
  expect(firstChoice([n, sure, { ...n, name: 'm' }])).toEqual({ x: 0, y: [2] })
  expect(firstChoice([sure, n, at])).toEqual({ x: 2, y: [1] })
  const given = [
    ['DE', '•', '12'],
    [null, '•', null],
  ]
  expect(chartData(given, { x: 0, y: [2] })).toEqual([
    { x: 'DE', y0: 12 },
    { x: 'NULL', y0: null },
  ])
})

test('days are told apart by their dates, and numbers beside an axis have their room', () => {
  const days = [
    ['2026-01-01 00:00:00+00', '12'],
    ['2026-02-01 00:00:00+00', '-9'],
  ]
  const points = chartData(days, { x: 0, y: [1] })
  expect(points.map(({ x }) => x)).toEqual(['2026-01-01', '2026-02-01'])
  expect(chartData([...days, ['2026-02-01 08:00:00+00', '1']], { x: 0, y: [1] })[0]?.x).toBe('2026-01-01 00:00:00+00')
  expect(axisWidth([{ y0: -1_000_000_000 }])).toBeGreaterThan(axisWidth(points))
  expect([shownNumber(2524123.75), shownNumber(0.00012)]).toEqual(['2,524,123.8', '0.00012'])
})

test('two columns of one name are told apart by their numbers', () => {
  const named = [{ name: 'a' }, { name: 'b' }, { name: 'a' }]
  expect(named.map((_, i) => columnLabel(named, i))).toEqual(['a (1)', 'b', 'a (3)'])
})

test('a masked column that was granted since the result came is named, and no other', () => {
  const hidden = (name: string, dataClass: string): ResultColumn => ({
    name,
    type: 'text',
    masked: { dataClass, policyId: 'pii', reason: '', requestable: true },
  })
  const all = [{ name: 'id', type: 'int8' }, hidden('email', 'email'), hidden('phone', 'phone')]
  const grant = (dataClasses: string[], action = 'unmask') => [
    { actions: [action], dataClasses, startsAt: '2026-01-01T12:00:00Z' },
  ]
  const noon = Date.parse('2026-01-01T12:00:00Z')
  expect(shownSince(all, grant(['email']), noon - 1)).toEqual(['email'])
  expect(shownSince(all, grant([]), noon - 1)).toEqual(['email', 'phone'])
  expect(shownSince(all, grant(['email']), noon + 1)).toEqual([])
  expect(shownSince(all, grant([], 'sql:write'), noon - 1)).toEqual([])
})

function play(state: SqlState, run: number, events: readonly RunEvent[]): SqlState {
  return events.reduce((s, event) => apply(s, run, event, 0), state)
}

const text = 'SELECT id FROM orders'
const first = play(begin(noRuns, new Set(), 0), 0, [
  { type: 'statement', statement: 0, start: 0, end: text.length, text },
  { type: 'columns', statement: 0, result: 'r1', columns },
  { type: 'complete', statement: 0, tag: 'SELECT 2', rows: 2, ms: 3, truncated: false },
  { type: 'done', ran: 1 },
])
const view: View = { text, sort: [{ column: 0, direction: 'desc' }], filters: [] }
const again = (events: readonly RunEvent[]): SqlState => {
  const sub = play({ ...noRuns, running: 1, runs: 1 }, 1, events)
  return project(beginAgain(first), first, sub, '0:0:0', view)
}
test('what it did to the transaction is known', () => {
  const lost = again([wrapped, { type: 'transaction', state: 'failed' }, { type: 'done', ran: 1 }])
  expect([lost.transaction, first.transaction]).toEqual(['failed', 'none'])
})

const wrapped: RunEvent = { type: 'statement', statement: 0, start: 0, end: 9, text: 'SELECT c1' }

test('a result that is run again takes its place, and leaves no mark in the editor', () => {
  const going = again([wrapped])
  expect(going.running).toBe(1)
  expect(going.results).toEqual(first.results)
  const done = again([
    wrapped,
    { type: 'columns', statement: 0, result: 'r2', columns },
    { type: 'complete', statement: 0, tag: 'SELECT 2', rows: 2, ms: 3, truncated: false },
    { type: 'done', ran: 1 },
  ])
  expect(done.running).toBeUndefined()
  expect(done.results).toMatchObject([{ key: '0:0:0', title: 'orders', handle: 'r2', rows: 2, view }])
  expect(done.marks).toBe(first.marks)
  expect(done.past.map((mark) => mark.text)).toEqual(['SELECT c1'])
})

test('one that fails leaves the result as it was, and says why', () => {
  const failed = again([
    wrapped,
    { type: 'error', statement: 0, message: 'Blocked by pii.', sqlstate: 'SPB01' },
    { type: 'done', ran: 1 },
  ])
  expect(failed.results).toEqual(first.results.map((result) => ({ ...result, refused: 'Blocked by pii.' })))
  expect(failed.shown).toBe(first.shown)
  expect(beginAgain(failed).results).toEqual(first.results)
  expect(failed.messages.at(-1)).toMatchObject({ kind: 'error', text: 'Blocked by pii.' })
})

test('a result that stopped halfway can be saved as the part that it is; one that still comes in can not, and says why', () => {
  const coming = play(begin(noRuns, new Set(), 0), 0, [
    { type: 'statement', statement: 0, start: 0, end: 8, text: 'SELECT 1' },
    { type: 'columns', statement: 0, result: 'a', columns },
    { type: 'progress', statement: 0, result: 'a', rows: 9402, first: [] },
  ])
  const offer = ({ results, marks }: SqlState) => results[0] && exportable(results[0], marks[0])
  expect(offer(coming)).toEqual({ what: 'nothing', words: 'The result is still coming in.' })
  const lost = play(coming, 0, [{ type: 'error', statement: 0, message: 'The session was lost.' }])
  expect(offer(lost)).toMatchObject({ what: 'part', words: expect.stringContaining('stopped after 9,402 rows') })
  const ended = { type: 'complete', statement: 0, tag: 'SELECT', rows: 9402, ms: 1 } as const
  expect(offer(play(coming, 0, [{ ...ended, truncated: false }]))).toMatchObject({ what: 'all' })
  expect(offer(play(coming, 0, [{ ...ended, truncated: true }]))).toMatchObject({ what: 'part' })
})
