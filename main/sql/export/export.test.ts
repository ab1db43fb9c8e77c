import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { strFromU8, unzipSync } from 'fflate'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ExportEvent, ExportFormat, ResultColumn } from '../../../shared/rpc/contract.ts'
import { downloadsSaver, fileTarget, type Saver } from '../../save.ts'
import { defaultLimits, type ResultLimits, ResultStore, type Row } from '../result.ts'
import { exportResult } from './export.ts'

let dir: string

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sallyport-export-'))
})
afterEach(() => rm(dir, { recursive: true }))

const masked = { dataClass: 'email', policyId: 'pii', reason: 'Personal data.', requestable: true }
const columns: ResultColumn[] = [
  { name: 'id', type: 'int4' },
  { name: 'note', type: 'text' },
  { name: 'note', type: 'jsonb' },
  { name: 'n', type: 'numeric' },
  { name: 'ok', type: 'bool' },
  { name: 'code', type: 'int4', masked },
]
const rows: Row[] = [
  ['1', 'a "b", c', '{"a": [1]}', '1.5', 't', '••41'],
  ['2', '', null, '1.10', 'f', null],
  ['3', '=1+1\n<&>\u0007 _x0041_', '"x"', '12345678901234567890', null, '7'],
]

async function storeOf(given: Iterable<Row>, limits: Partial<ResultLimits> = {}): Promise<ResultStore> {
  const store = new ResultStore(join(dir, 'spool'), { ...defaultLimits, free: 0, ...limits })
  store.columns = columns
  for (const row of given) if (!store.append(row)) await store.drained()
  await store.finish()
  return store
}

interface Wanted {
  format: ExportFormat
  partial?: boolean
  saver?: Saver
  signal?: AbortSignal
}

async function run(store: ResultStore, { format, partial = false, saver, signal }: Wanted): Promise<ExportEvent[]> {
  const events: ExportEvent[] = []
  const request = { store, format, name: 'rows', partial, saver: saver ?? downloadsSaver(dir) }
  for await (const event of exportResult(request, signal)) events.push(event)
  return events
}

async function exported(given: Iterable<Row>, format: ExportFormat): Promise<Buffer> {
  const store = await storeOf(given)
  const done = (await run(store, { format })).at(-1)
  await store.release()
  return readFile(done?.type === 'done' ? done.file : '')
}

test('CSV keeps NULL and the empty string apart, and quotes what needs it', async () => {
  expect((await exported(rows, 'csv')).toString()).toBe(
    [
      'id,note,note,n,ok,code',
      '1,"a ""b"", c","{""a"": [1]}",1.5,t,••41',
      '2,"",,1.10,f,',
      '3,"=1+1\n<&>\u0007 _x0041_","""x""",12345678901234567890,,7',
      '',
    ].join('\r\n'),
  )
})

test('JSON keeps types, loses no digit, and leaves masked values text', async () => {
  expect(JSON.parse((await exported(rows, 'json')).toString())).toEqual([
    { id: 1, note: 'a "b", c', note_2: { a: [1] }, n: 1.5, ok: true, code: '••41' },
    { id: 2, note: '', note_2: null, n: 1.1, ok: false, code: null },
    { id: 3, note: '=1+1\n<&>\u0007 _x0041_', note_2: 'x', n: '12345678901234567890', ok: null, code: '7' },
  ])
  expect(JSON.parse((await exported([], 'json')).toString())).toEqual([])
})

test('a workbook has a bold, fixed header, numbers that are exact, and text that is never a formula', async () => {
  const files = unzipSync(await exported(rows, 'xlsx'))
  expect(Object.keys(files)).toContain('[Content_Types].xml')
  const sheet = strFromU8(files['xl/worksheets/sheet1.xml'] ?? new Uint8Array())
  expect(sheet).toContain('state="frozen"')
  expect(sheet).toContain('<c r="A2"><v>1</v></c>')
  expect(sheet).toContain('<c r="E2" t="b"><v>1</v></c>')
  // A sum of the column counts it, and it looks as it did.
  expect(sheet).toMatch(/<c r="D3" s="\d+"><v>1.10<\/v><\/c>/)
  expect(sheet).toContain('<c r="D4" t="inlineStr"><is><t xml:space="preserve">12345678901234567890</t></is></c>')
  expect(sheet).toContain('=1+1\n&lt;&amp;&gt;_x0007_ _x005F_x0041_')
  expect(sheet).toContain('<c r="F4" t="inlineStr"><is><t xml:space="preserve">7</t></is></c>')
  expect(sheet).not.toContain('<f>')
  expect(sheet.match(/<row /g)).toHaveLength(4)
})

test('a workbook has days and times that Excel counts right, and what it can not count as text', async () => {
  const { strings, sheet } = await sheetOf(
    [
      { name: 'day', type: 'date' },
      { name: 'at', type: 'timestamp' },
    ],
    [
      ['2024-02-29', '2024-02-29 12:00:00'],
      ['0044-03-15 BC', 'infinity'],
      ['1900-01-01', '2024-02-29 12:00:00.123456'],
    ],
  )
  expect(sheet).toMatch(/<c r="A2" s="\d+"><v>45351<\/v>/)
  expect(sheet).toMatch(/<c r="B2" s="\d+"><v>45351.5<\/v>/)
  expect(strings).toEqual(['0044-03-15 BC', 'infinity', '1900-01-01', '2024-02-29 12:00:00.123456'])
})

async function sheetOf(of: ResultColumn[], given: Row[]): Promise<{ sheet: string; strings: (string | undefined)[] }> {
  const store = await storeOf(given)
  store.columns = of
  const done = (await run(store, { format: 'xlsx' })).at(-1)
  const files = unzipSync(await readFile(done?.type === 'done' ? done.file : ''))
  const sheet = strFromU8(files['xl/worksheets/sheet1.xml'] ?? new Uint8Array())
  return { sheet, strings: [...sheet.matchAll(/<t xml:space="preserve">([^<]*)</g)].map((m) => m[1]) }
}

test('what a sheet can not hold is refused in words, and nothing is saved', async () => {
  const long = await storeOf([['1', 'x'.repeat(32_768), null, null, null, null]])
  await expect(run(long, { format: 'xlsx' })).rejects.toThrow(/B2 has 32,768 characters; a cell holds 32,767/)
  const many = await storeOf([])
  many.kept = 1_048_576
  await expect(run(many, { format: 'xlsx' })).rejects.toThrow(/A sheet holds 1,048,575 rows.*1,048,576/)
  expect((await readdir(dir)).filter((name) => name !== 'spool')).toEqual([])
})

test('a large result is written from the spool file, with its progress', async () => {
  const many = (function* () {
    for (let i = 0; i < 100_000; i += 1) yield [String(i), 'x'.repeat(50), null, null, null, null] as Row
  })()
  const store = await storeOf(many, { memory: 1024 * 1024 })
  const events = await run(store, { format: 'csv' })
  const done = events.at(-1)
  expect(done).toMatchObject({ type: 'done', rows: 100_000, file: join(dir, 'rows.csv') })
  const file = await stat(join(dir, 'rows.csv'))
  expect(done?.type === 'done' && done.bytes).toBe(file.size)
  expect(file.mode & 0o777).toBe(0o600)
  expect(events.filter((event) => event.type === 'progress').length).toBeGreaterThan(1)
  await store.release()
  expect(await readdir(join(dir, 'spool'))).toEqual([])
})

test('a result that was cut or stopped, or still comes in, is not exported as if it were whole', async () => {
  const cut = await storeOf(rows, { rows: 2 })
  await expect(run(cut, { format: 'csv' })).rejects.toThrow('The result has 3 rows; only the first 2 rows are kept.')
  expect((await run(cut, { format: 'csv', partial: true })).at(-1)).toMatchObject({
    type: 'done',
    rows: 2,
    file: join(dir, 'rows, first 2 rows only.csv'),
  })
  const stopped = await storeOf(rows)
  stopped.stopped = true
  await expect(run(stopped, { format: 'csv' })).rejects.toThrow('The result was stopped after 3 rows.')
  expect((await run(stopped, { format: 'xlsx', partial: true })).at(-1)).toMatchObject({
    file: join(dir, 'rows, first 3 rows only.xlsx'),
  })
  const coming = new ResultStore(join(dir, 'spool'))
  await expect(run(coming, { format: 'csv' })).rejects.toThrow('still coming in')
})

test('cancelled halfway, it leaves no file; a taken name is not overwritten', async () => {
  const store = await storeOf(Array.from({ length: 5000 }, (_, i) => [String(i), null, null, null, null, null]))
  for await (const event of exportResult({
    store,
    format: 'csv',
    name: '../../evil\0/name',
    partial: false,
    saver: (file) => {
      expect(file.name).toBe('evilname.csv')
      return downloadsSaver(dir)(file)
    },
  })) {
    if (event.type === 'progress') break
  }
  expect((await readdir(dir)).filter((name) => name !== 'spool')).toEqual([])
  await run(store, { format: 'csv' })
  expect((await run(store, { format: 'csv' })).at(-1)).toMatchObject({ file: join(dir, 'rows (1).csv') })
})

test('a disk that takes no more fails the export and leaves nothing', async () => {
  const full = (): Promise<Writable> =>
    Promise.resolve(new Writable({ write: (_chunk, _encoding, done) => done(new Error('ENOSPC: no space left')) }))
  let discarded = 0
  const saver: Saver = async () => ({
    ...fileTarget(join(dir, 'x')),
    open: full,
    discard: () => {
      discarded += 1
      return Promise.resolve()
    },
  })
  await expect(run(await storeOf(rows), { format: 'csv', saver })).rejects.toThrow(/no space left\. Nothing was saved/)
  expect(discarded).toBe(1)
})

test('no place chosen, nothing done', async () => {
  const saver: Saver = () => Promise.resolve(undefined)
  expect(await run(await storeOf(rows), { format: 'csv', saver })).toEqual([{ type: 'dismissed' }])
})
