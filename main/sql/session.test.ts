import { once } from 'node:events'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { Annotation } from '../../shared/annotation.ts'
import type { RunEvent } from '../../shared/rpc/contract.ts'
import type { CancelKey } from '../gateway/cancel.ts'
import { startPostgres } from '../testing/postgres.ts'
import { type Relay, startRelay } from '../testing/relay.ts'
import { openTunnel } from '../tunnel.ts'
import { defaultLimits, type ResultLimits, ResultStore } from './result.ts'
import { SqlSession, type SqlSessionOptions } from './session.ts'

let postgres: Awaited<ReturnType<typeof startPostgres>>
/** Past the tunnel. */
let direct: pg.Client
let relay: Relay
let spool: string
const sessions: SqlSession[] = []

beforeAll(async () => {
  postgres = await startPostgres()
  direct = new pg.Client({ host: '127.0.0.1', port: postgres.port, user: 'postgres', database: 'postgres' })
  await direct.connect()
  spool = await mkdtemp(join(tmpdir(), 'sallyport-spool-'))
  relay = await startRelay(postgres.port)
})

afterEach(async () => {
  relay.onTarget = (chunk) => chunk
  for (const session of sessions.splice(0)) await session.close()
})

afterAll(async () => {
  await relay.close()
  await direct.end()
  await postgres.close()
  await rm(spool, { recursive: true })
})

const dial = (signal?: AbortSignal): Promise<Duplex> =>
  openTunnel({ url: relay.url, ticket: relay.ticket(), ...(signal === undefined ? {} : { signal }) })

/** As the gateway does: at the server that holds the key. */
async function cancelAtServer({ processId, secret }: CancelKey): Promise<void> {
  const head = Buffer.alloc(12)
  head.writeInt32BE(12 + secret.length)
  head.writeInt32BE(80_877_102, 4)
  head.writeInt32BE(processId, 8)
  const socket = connect(postgres.port, '127.0.0.1')
  socket.end(Buffer.concat([head, secret]))
  await once(socket, 'close')
}

const options = (limits: ResultLimits): SqlSessionOptions => ({
  dial,
  cancel: cancelAtServer,
  user: 'postgres',
  database: 'postgres',
  newResult: () => new ResultStore(spool, limits),
})

function openSession(limits: ResultLimits = defaultLimits): SqlSession {
  const session = new SqlSession(options(limits))
  sessions.push(session)
  return session
}

async function runAll(session: SqlSession, text: string, stopOnError = true): Promise<RunEvent[]> {
  const events: RunEvent[] = []
  for await (const event of session.run({ text, start: 0, end: text.length, stopOnError })) events.push(event)
  return events
}

/** Until the server runs a statement that begins like this. */
async function runs(text: string): Promise<void> {
  const active = `select 1 from pg_stat_activity where state = 'active' and pid <> pg_backend_pid() and starts_with(query, $1)`
  await expect.poll(async () => (await direct.query(active, [text])).rowCount, { interval: 10 }).toBe(1)
}

function only<T extends RunEvent['type']>(events: RunEvent[], type: T): Extract<RunEvent, { type: T }>[] {
  return events.filter((e): e is Extract<RunEvent, { type: T }> => e.type === type)
}

test('runs statements one by one, each with its place, columns, rows and tag', async () => {
  const session = openSession()
  const text = "-- two\nselect 1 as a, null::text as b, 'é😀' as c;\nselect generate_series(1,3)"
  const events = await runAll(session, text)
  expect(only(events, 'statement').map((s) => text.slice(s.start, s.end))).toEqual([
    "select 1 as a, null::text as b, 'é😀' as c",
    'select generate_series(1,3)',
  ])
  const [first, second] = only(events, 'columns')
  expect(first?.columns).toEqual([
    { name: 'a', type: 'int4' },
    { name: 'b', type: 'text' },
    { name: 'c', type: 'text' },
  ])
  expect(await session.result(first?.result ?? '')?.window(0, 10)).toEqual([['1', null, 'é😀']])
  expect(await session.result(second?.result ?? '')?.window(1, 3)).toEqual([['2'], ['3']])
  expect(only(events, 'complete').map((c) => [c.tag, c.rows, c.truncated])).toEqual([
    ['SELECT 1', 1, false],
    ['SELECT 3', 3, false],
  ])
  expect(events.at(-1)).toEqual({ type: 'done', ran: 2 })
})

test('an error names its place in the text that was run, in UTF-16 units, and stops the run', async () => {
  const session = openSession()
  const text = "select '😀'; select '😀', nope; select 3"
  const events = await runAll(session, text)
  const [error] = only(events, 'error')
  expect(error).toMatchObject({ statement: 1, sqlstate: '42703', position: text.indexOf('nope') })
  expect(events.at(-1)).toEqual({ type: 'done', ran: 2, left: 1 })
  const on = await runAll(session, text, false)
  expect(only(on, 'complete')).toHaveLength(2)
})

test('keeps session state between runs', async () => {
  const session = openSession()
  await runAll(session, 'begin; create temp table t (a int); insert into t values (1),(2)')
  const events = await runAll(session, 'update t set a = 3; rollback')
  expect(only(events, 'complete').map((c) => [c.tag, c.rows])).toEqual([
    ['UPDATE 2', 2],
    ['ROLLBACK', 0],
  ])
})

test('a large result streams to the spool file and is read by windows', async () => {
  const session = openSession({ ...defaultLimits, memory: 1024 * 1024 })
  const events = await runAll(session, "select i, repeat('x', 200) || i from generate_series(1, 60000) i")
  const [columns] = only(events, 'columns')
  const [complete] = only(events, 'complete')
  expect(complete).toMatchObject({ rows: 60_000, truncated: false })
  const store = session.result(columns?.result ?? '')
  const at = async (i: number): Promise<string | null | undefined> => (await store?.window(i, i + 1))?.[0]?.[0]
  expect([await at(0), await at(30_000), await at(59_999), await at(60_000)]).toEqual([
    '1',
    '30001',
    '60000',
    undefined,
  ])
  expect(await store?.window(29_000, 31_000)).toHaveLength(2000)
  // The file has no name, so that a crash leaves nothing.
  if (process.platform !== 'win32') expect((await readdir(spool)).filter((f) => f.endsWith('.rows'))).toEqual([])
})

test('a result whose statement fails among its rows is kept as far as it came, and known to be a part', async () => {
  const session = openSession()
  const events = await runAll(session, 'select 6 / (3 - i) from generate_series(1, 5) i; select 1')
  const store = session.result(only(events, 'columns')[0]?.result ?? '')
  expect(store).toMatchObject({ kept: 2, complete: true, stopped: true })
  const whole = only(await runAll(session, 'select 1'), 'columns')[0]
  expect(session.result(whole?.result ?? '')?.stopped).toBe(false)
})

test('a result over the limit is cut, counted and said', async () => {
  const session = openSession({ ...defaultLimits, rows: 1000 })
  const events = await runAll(session, 'select generate_series(1, 5000)')
  expect(only(events, 'complete')[0]).toMatchObject({ rows: 5000, truncated: true })
  expect(only(events, 'notice')[0]?.message).toBe('The result has 5,000 rows; only the first 1,000 rows are kept.')
  const store = session.result(only(events, 'columns')[0]?.result ?? '')
  expect(await store?.window(990, 2000)).toHaveLength(10)
})

test('a disk that takes no more keeps what is there and says so', async () => {
  const file = join(spool, 'a-file')
  await writeFile(file, '')
  const session = new SqlSession({
    dial,
    cancel: cancelAtServer,
    user: 'postgres',
    database: 'postgres',
    newResult: () => new ResultStore(file, { ...defaultLimits, memory: 1024 }),
  })
  sessions.push(session)
  const events = await runAll(session, "select repeat('x', 1000) from generate_series(1, 20000)")
  const [complete] = only(events, 'complete')
  expect(complete).toMatchObject({ rows: 20_000, truncated: true })
  const store = session.result(only(events, 'columns')[0]?.result ?? '')
  expect(store?.cut).toContain('only the first')
  expect(await store?.window(0, 20_000)).toHaveLength(store?.kept ?? -1)
})

test('cancel really cancels, and what follows is not run', async () => {
  const session = openSession()
  const events: RunEvent[] = []
  const text = 'select pg_sleep(60); select 2'
  for await (const event of session.run({ text, start: 0, end: text.length, stopOnError: false })) {
    events.push(event)
    if (event.type === 'statement') void runs('select pg_sleep').then(() => session.cancel())
  }
  expect(only(events, 'error')[0]).toMatchObject({ sqlstate: '57014' })
  expect(events.at(-1)).toEqual({ type: 'done', ran: 1, left: 1 })
  expect(only(await runAll(session, 'select 1'), 'complete')).toHaveLength(1)
})

test('leaving the run cancels it', async () => {
  const session = openSession()
  const abort = new AbortController()
  const text = 'select pg_sleep(60)'
  for await (const event of session.run({ text, start: 0, end: text.length, stopOnError: true }, abort.signal)) {
    if (event.type === 'statement') void runs('select pg_sleep').then(() => abort.abort())
  }
  while (session.busy) await new Promise((resolve) => setTimeout(resolve, 10))
  expect(only(await runAll(session, 'select 1'), 'complete')).toHaveLength(1)
})

test('one run at a time', async () => {
  const session = openSession()
  const first = session.run({ text: 'select pg_sleep(60)', start: 0, end: 19, stopOnError: true })
  await first.next()
  await runs('select pg_sleep')
  await expect(runAll(session, 'select 1')).rejects.toMatchObject({ problem: { code: 'conflict' } })
  await session.cancel()
  for await (const event of first) void event
})

test('a lost session is said; the statement is not sent again, and the next run says it is on a new session', async () => {
  const session = openSession()
  await runAll(session, 'create table if not exists lost (a int); truncate lost')
  const text = 'select pg_sleep(60); insert into lost values (1)'
  const events: RunEvent[] = []
  for await (const event of session.run({ text, start: 0, end: text.length, stopOnError: false })) {
    events.push(event)
    if (event.type === 'statement') relay.tunnels.at(-1)?.socket.terminate()
  }
  const [error] = only(events, 'error')
  expect(error?.problem).toMatchObject({ code: 'session-ended', action: 'reconnect' })
  expect(error?.hint).toContain('not sent again')
  const after = await runAll(session, 'select count(*) from lost')
  expect(only(after, 'notice')[0]?.message).toContain('The earlier session is gone')
  expect(await session.result(only(after, 'columns')[0]?.result ?? '')?.window(0, 1)).toEqual([['0']])
})

test('a FATAL of the server is the reason that is told', async () => {
  const session = openSession()
  const events = await runAll(session, 'select pg_terminate_backend(pg_backend_pid())')
  expect(only(events, 'error')[0]).toMatchObject({ sqlstate: '57P01', problem: { code: 'session-ended' } })
})

test('COPY out is a result, COPY in is refused in words', async () => {
  const session = openSession()
  const out = await runAll(session, 'copy (select 1, 2) to stdout')
  expect(await session.result(only(out, 'columns')[0]?.result ?? '')?.window(0, 1)).toEqual([['1\t2']])
  const text = 'create temp table c (a int); copy c from stdin'
  expect(only(await runAll(session, text), 'error')[0]?.message).toContain('psql')
})

/** A backend message with one-letter fields, as a server would send it. */
function serverMessage(type: 'N' | 'E', fields: Record<string, string>): Buffer {
  const body = Buffer.concat([
    ...Object.entries(fields).map(([key, value]) => Buffer.from(`${key}${value}\0`)),
    Buffer.from([0]),
  ])
  const head = Buffer.alloc(5)
  head.write(type)
  head.writeInt32BE(body.length + 4, 1)
  return Buffer.concat([head, body])
}

const mask: Annotation = {
  kind: 'masked',
  columns: [
    {
      source: 'public.customers.email',
      label: 'email',
      position: 1,
      dataClass: 'email',
      policy: { id: 'mask-pii', reason: 'Personal data is masked.' },
      requestable: true,
    },
  ],
}
const masked = serverMessage('N', { S: 'NOTICE', C: 'SPM01', M: 'Masked', D: JSON.stringify(mask) })

test.each([
  ['before the columns', 'T'],
  ['right after the columns', 'D'],
  ['after the rows', 'C'],
])('masks told %s end up on the columns', async (_when, before) => {
  const session = openSession()
  await runAll(session, 'select 1')
  relay.onTarget = (chunk) => insertBefore(chunk, before, masked)
  const events = await runAll(session, "select 1 as id, 'x' as email")
  expect(only(events, 'annotation')[0]?.annotation).toEqual(mask)
  expect(only(events, 'columns').at(-1)?.columns).toEqual([
    { name: 'id', type: 'int4' },
    {
      name: 'email',
      type: 'text',
      masked: { dataClass: 'email', policyId: 'mask-pii', reason: 'Personal data is masked.', requestable: true },
    },
  ])
  if (before !== 'C') expect(only(events, 'columns')).toHaveLength(1)
})

test('a block is an annotation and the error of its statement; text decisions stay text', async () => {
  const session = openSession()
  await runAll(session, 'select 1')
  const blocked: Annotation = {
    kind: 'blocked',
    policy: { id: 'no-unbounded-write', reason: 'A write needs a WHERE.' },
    message: 'Blocked by no-unbounded-write.',
    hint: 'Add a WHERE clause.',
    requestable: false,
  }
  relay.onTarget = (chunk) =>
    insertBefore(
      insertBefore(chunk, 'C', serverMessage('N', { S: 'NOTICE', C: 'SPH01', M: 'Held as text' })),
      'C',
      serverMessage('E', { S: 'ERROR', C: 'SPB01', M: blocked.message, H: blocked.hint, D: JSON.stringify(blocked) }),
    )
  const events = await runAll(session, 'update lost set a = 1')
  expect(only(events, 'annotation').map((a) => a.annotation)).toEqual([blocked])
  expect(only(events, 'notice')[0]?.message).toBe('Held as text')
  const [error] = only(events, 'error')
  expect(error).toMatchObject({ sqlstate: 'SPB01', message: blocked.message, hint: blocked.hint })
  expect(error?.detail).toBeUndefined()
})

test('bytes that are no protocol end the session, not the process', async () => {
  const session = openSession()
  await runAll(session, 'select 1')
  relay.onTarget = () => Buffer.from([0x54, 0, 0, 0, 6, 0xff, 0xff])
  const events = await runAll(session, 'select 1')
  expect(only(events, 'error')[0]?.problem?.code).toBe('session-ended')
})

test('a statement that people approved takes what it took since then', async () => {
  const session = openSession()
  await runAll(session, 'select 1')
  const approved: Annotation = { kind: 'approved', requestId: 'r', by: ['grace'] }
  const notice = serverMessage('N', { S: 'NOTICE', C: 'SPA01', M: 'Approved', D: JSON.stringify(approved) })
  // All of the answer comes in one chunk, after the second that stands for the waiting.
  relay.onTarget = (chunk) => insertBefore(chunk, 'T', notice)
  const [complete] = only(await runAll(session, 'select pg_sleep(1)'), 'complete')
  expect(complete?.ms).toBeGreaterThan(0)
  expect(complete?.ms).toBeLessThan(1000)
})

test('what it took in the database and at the gateway comes with its end, and is no notice', async () => {
  const session = openSession()
  await runAll(session, 'select 1')
  const timing = { dbMs: 12.25, gatewayMs: 0.5 }
  const notice = serverMessage('N', { S: 'NOTICE', C: 'SPT01', M: 'Took', D: JSON.stringify(timing) })
  relay.onTarget = (chunk) => insertBefore(chunk, 'C', notice)
  const events = await runAll(session, 'select 1')
  expect(only(events, 'complete')).toMatchObject([timing])
  expect(only(events, 'notice')).toEqual([])
  // Nothing of it is left for the next.
  relay.onTarget = (chunk) => chunk
  expect(only(await runAll(session, 'select 2'), 'complete')[0]).not.toHaveProperty('dbMs')
})

/** Puts bytes before the first message of a type; the chunks of these tests hold whole messages. */
function insertBefore(chunk: Buffer, type: string, bytes: Buffer): Buffer {
  for (let at = 0; at + 5 <= chunk.length; at += 1 + chunk.readInt32BE(at + 1)) {
    if (chunk[at] === type.charCodeAt(0)) return Buffer.concat([chunk.subarray(0, at), bytes, chunk.subarray(at)])
  }
  return chunk
}

test('the first rows are told of at once, and not when the next come', async () => {
  const session = openSession()
  // The server sends what it has when its buffer of 8 KiB is full, then waits for a lock, which is let go once the rows are told of.
  await direct.query('select pg_advisory_lock(1)')
  const text =
    "select i, case when i < 3 then repeat('x', 9000) else pg_advisory_lock(1)::text end from generate_series(1, 3) i"
  const events: RunEvent[] = []
  for await (const event of session.run({ text, start: 0, end: text.length, stopOnError: true })) {
    events.push(event)
    if (event.type === 'progress' && only(events, 'progress').length === 1)
      await direct.query('select pg_advisory_unlock(1)')
  }
  expect(only(events, 'progress')[0]?.rows).toBeLessThan(3)
  expect(only(events, 'complete')[0]).toMatchObject({ rows: 3 })
})

test('the first news of rows brings them along, cut for the screen, and no later news does, read or not', async () => {
  const session = openSession()
  const text = "select i, repeat('x', 2000) from generate_series(1, 30000) i"
  const events: RunEvent[] = []
  for await (const event of session.run({ text, start: 0, end: text.length, stopOnError: true })) {
    events.push(event)
    // Meanwhile news that nobody reads is merged, and what comes with the first is not lost. By the clock, as the news is: no event
    // tells that more of it came.
    if (event.type === 'columns') await new Promise((resolve) => setTimeout(resolve, 300))
  }
  const [first, ...later] = only(events, 'progress')
  const rows = first?.first ?? []
  // As many as had come by then.
  expect(rows.length).toBeGreaterThan(0)
  expect(rows.length).toBeLessThanOrEqual(200)
  expect(rows).toEqual(rows.map((_, i) => [String(i + 1), 'x'.repeat(1000)]))
  expect(later.every((event) => event.first === undefined)).toBe(true)
  const [none] = only(await runAll(session, 'select 1 where false'), 'progress')
  expect(none).toMatchObject({ rows: 0, first: [] })
})

test('a disk that is nearly full is left alone, and that is said', async () => {
  const session = openSession({ ...defaultLimits, memory: 1024, free: Number.MAX_SAFE_INTEGER })
  const events = await runAll(session, "select repeat('x', 1000) from generate_series(1, 20000)")
  expect(only(events, 'complete')[0]).toMatchObject({ rows: 20_000, truncated: true })
  expect(only(events, 'notice')[0]?.message).toMatch(/only the first [\d,]+ rows are kept: the disk is nearly full/)
})

const state = (events: RunEvent[]) => only(events, 'transaction').map((event) => event.state)

async function manual(session: SqlSession, text: string): Promise<RunEvent[]> {
  const events: RunEvent[] = []
  const run = { text, start: 0, end: text.length, stopOnError: true, commit: 'manual' as const }
  for await (const event of session.run(run)) events.push(event)
  return events
}

test('manual commit: what is written is seen by others after the commit alone, and gone after a rollback', async () => {
  const session = openSession()
  const other = openSession()
  await runAll(other, 'DROP TABLE IF EXISTS tx; CREATE TABLE tx (a int)')
  const count = async () => only(await runAll(other, 'SELECT a FROM tx'), 'complete')[0]?.rows
  expect(state(await manual(session, 'INSERT INTO tx VALUES (1)'))).toEqual(['open'])
  expect(await count()).toBe(0)
  expect(await session.endTransaction('commit')).toBe('none')
  expect(await count()).toBe(1)
  expect(state(await manual(session, 'INSERT INTO tx VALUES (2)'))).toEqual(['open'])
  expect(await session.endTransaction('rollback')).toBe('none')
  expect(await count()).toBe(1)
})

test('manual commit: statements that may not be in a transaction, and those that make one, are left alone', async () => {
  const session = openSession()
  expect(state(await manual(session, 'VACUUM'))).toEqual([])
  expect(state(await manual(session, 'BEGIN; SELECT 1; COMMIT; SELECT 2'))).toEqual(['open', 'none', 'open'])
})

test('manual commit: an error among reads leaves nothing open; one after a write must be rolled back', async () => {
  const session = openSession()
  await runAll(session, 'DROP TABLE IF EXISTS tx2; CREATE TABLE tx2 (a int)')
  expect(state(await manual(session, 'SELECT nothing'))).toEqual([])
  expect(session.transaction).toBe('none')
  await manual(session, 'SELECT 1')
  const failed = await manual(session, 'SELECT nothing')
  expect(state(failed)).toEqual(['none'])
  expect(only(failed, 'notice')[0]?.message).toMatch(/had only read/)
  await manual(session, 'INSERT INTO tx2 VALUES (1)')
  expect(state(await manual(session, 'SELECT nothing'))).toEqual(['failed'])
  await expect(session.endTransaction('commit')).rejects.toThrow(/can be committed/)
  expect(await session.endTransaction('rollback')).toBe('none')
})

test('a session that is lost under a statement says what became of its transaction: lost, never there, or not known', async () => {
  const session = openSession()
  await runAll(session, 'DROP TABLE IF EXISTS tx4; CREATE TABLE tx4 (a int)')
  const write = 'INSERT INTO tx4 VALUES (1)'
  /** The last of these has an answer that does not come any more. */
  const work = async (...texts: string[]) => {
    for (const text of texts.slice(0, -1)) await manual(session, text)
    relay.onTarget = () => {
      relay.tunnels.at(-1)?.socket.terminate()
      return Buffer.alloc(0)
    }
    try {
      return only(await manual(session, texts.at(-1) ?? ''), 'ended').map((event) => event.work)
    } finally {
      relay.onTarget = (chunk) => chunk
    }
  }
  expect(await work(write, 'SELECT 1')).toEqual(['rolled-back'])
  expect(await work(write, 'SAVEPOINT s', 'ROLLBACK TO s')).toEqual(['rolled-back'])
  expect(await work(write, 'SELECT nothing', 'SELECT 1')).toEqual(['none'])
  expect(await work('SELECT 1', write)).toEqual(['none'])
  expect(await work(write, 'ROLLBACK')).toEqual(['none'])
  expect(await work(write, 'COMMIT')).toEqual(['unknown'])
  expect(session.transaction).toBe('none')

  const end = async (how: 'commit' | 'rollback') => {
    await manual(session, write)
    relay.onTarget = () => {
      relay.tunnels.at(-1)?.socket.terminate()
      return Buffer.alloc(0)
    }
    const ended = session.endTransaction(how)
    await ended.catch(() => {})
    relay.onTarget = (chunk) => chunk
    return ended
  }
  await expect(end('commit')).rejects.toThrow(/before the database said that it committed/)
  await expect(end('rollback')).rejects.toThrow(/its transaction with it/)

  // None is had: as with a gateway that is away.
  const nowhere = new SqlSession({ ...options(defaultLimits), dial: () => Promise.reject(new Error('away')) })
  expect(only(await runAll(nowhere, 'SELECT 1'), 'ended')).toEqual([{ type: 'ended', work: 'none' }])
})

test('whether a transaction has only read is told, and a result in another order changes nothing of it', async () => {
  const session = openSession()
  await runAll(session, 'DROP TABLE IF EXISTS tx3; CREATE TABLE tx3 (a int)')
  const told = (events: RunEvent[]) =>
    only(events, 'transaction').map(({ state, onlyRead = false }) => [state, onlyRead])
  expect(told(await manual(session, 'SELECT 1'))).toEqual([['open', true]])
  expect(told(await manual(session, 'SELECT 2'))).toEqual([])
  expect(told(await manual(session, 'INSERT INTO tx3 VALUES (1)'))).toEqual([['open', false]])
  const text = 'SELECT a FROM tx3 WHERE a < $$b$$'
  const events: RunEvent[] = []
  const again = { text, start: 0, end: text.length, stopOnError: true, again: true as const }
  for await (const event of session.run(again)) events.push(event)
  expect(only(events, 'error')[0]?.message).toMatch(/invalid input syntax/)
  expect(told(events)).toEqual([])
  expect(session.transaction).toBe('open')
  expect(await session.endTransaction('commit')).toBe('none')
  expect(told(await manual(session, 'SELECT a FROM tx3'))).toEqual([['open', true]])
})

test('manual commit: a table made from a query is no read, whatever its tag says', async () => {
  const session = openSession()
  await manual(session, 'CREATE TABLE made AS SELECT 1 AS a')
  expect(() => session.renew()).toThrow(/A transaction is open/)
  expect(state(await manual(session, 'SELECT nothing'))).toEqual(['failed'])
  expect(await session.endTransaction('rollback')).toBe('none')
})

test('parameters are bound: a value is never SQL, and positions stay those of the text', async () => {
  const session = openSession()
  const run = async (text: string, values: Record<string, string | null>) => {
    const events: RunEvent[] = []
    for await (const event of session.run({ text, start: 0, end: text.length, stopOnError: true, values }))
      events.push(event)
    return events
  }
  const evil = "'; DROP TABLE t; --"
  const [columns] = only(
    await run('SELECT :name::text AS a, $1::int + 1, :none::text IS NULL', { name: evil, $1: '41', none: null }),
    'columns',
  )
  expect(await session.result(columns?.result ?? '')?.window(0, 1)).toEqual([[evil, '42', 't']])
  const text = 'SELECT :long_name::text, missing'
  expect(only(await run(text, { long_name: 'x' }), 'error')[0]?.position).toBe(text.indexOf('missing'))
})

test('each statement is told of when it ended, with how it did', async () => {
  const told: unknown[] = []
  const session = new SqlSession({
    dial,
    cancel: cancelAtServer,
    user: 'postgres',
    database: 'postgres',
    newResult: () => new ResultStore(spool),
    onRan: ({ text, outcome, rows }) => told.push([text, outcome, rows]),
  })
  sessions.push(session)
  await runAll(session, 'SELECT generate_series(1, 3); SELECT nothing', false)
  expect(told).toEqual([
    ['SELECT generate_series(1, 3)', 'allowed', 3],
    ['SELECT nothing', 'failed', undefined],
  ])
})

async function explained(session: SqlSession, text: string, explain: 'plan' | 'measure'): Promise<RunEvent[]> {
  const events: RunEvent[] = []
  const values = { id: '1' }
  for await (const event of session.run({ text, start: 0, end: text.length, stopOnError: true, values, explain }))
    events.push(event)
  return events
}

test('a session that ends while nothing runs is told of at once, with what became of its transaction; one that was given up is not', async () => {
  const session = openSession()
  const ends = session.ends()
  const end = ends.next()
  const kill = () =>
    direct.query(`select pg_terminate_backend(pid) from pg_stat_activity where query = 'select 77 as mine'`)
  const run = async (commit: 'auto' | 'manual') => {
    const text = 'select 77 as mine'
    for await (const _ of session.run({ text, start: 0, end: text.length, stopOnError: true, commit }));
  }
  await run('manual')
  await kill()
  expect((await end).value).toMatchObject({ problem: { code: 'session-ended' }, rolledBack: true })
  expect(session.transaction).toBe('none')
  // Nobody hears of what they asked for.
  await run('auto')
  session.renew()
  await run('auto')
  const second = ends.next()
  await kill()
  expect((await second).value).toMatchObject({ rolledBack: false })
  await session.close()
  expect((await ends.next()).done).toBe(true)
})

test('a plan runs nothing; what is measured runs and is rolled back, outside a transaction and within one', async () => {
  const session = openSession()
  await runAll(session, 'DROP TABLE IF EXISTS planned; CREATE TABLE planned (a int); INSERT INTO planned VALUES (1)')
  const rows = async () => only(await runAll(session, 'SELECT a FROM planned'), 'complete')[0]?.rows
  const text = 'INSERT INTO planned SELECT a FROM planned WHERE a = :id'
  const events = await explained(session, text, 'plan')
  expect(only(events, 'statement')[0]).toMatchObject({ start: 0, end: text.length, text, explain: 'plan' })
  const [columns] = only(events, 'columns')
  expect(columns?.columns).toEqual([{ name: 'QUERY PLAN', type: 'json' }])
  const [row] = (await session.result(columns?.result ?? '')?.window(0, 1)) ?? []
  expect(JSON.parse(row?.[0] ?? '')[0].Plan['Node Type']).toBe('ModifyTable')
  expect(await rows()).toBe(1)
  const [measured] = only(await explained(session, text, 'measure'), 'columns')
  const [first] = (await session.result(measured?.result ?? '')?.window(0, 1)) ?? []
  expect(JSON.parse(first?.[0] ?? '')[0]).toHaveProperty('Execution Time')
  expect(session.transaction).toBe('none')
  expect(await rows()).toBe(1)
  await runAll(session, 'BEGIN; INSERT INTO planned VALUES (2)')
  await explained(session, text, 'measure')
  expect(session.transaction).toBe('open')
  expect(await rows()).toBe(2)
  // Whatever else stands in the text is measured too, and ends nothing.
  await explained(session, 'INSERT INTO planned VALUES (3); COMMIT', 'measure')
  expect(session.transaction).toBe('open')
  expect(await rows()).toBe(2)
  // An error within leaves the person's transaction as it was.
  const failed = only(await explained(session, 'SELECT :id::int / 0', 'measure'), 'error')
  expect(failed.map((e) => e.message)).toEqual(['division by zero'])
  expect(session.transaction).toBe('open')
  // Nothing of ours stays in it.
  const left = only(await runAll(session, 'ROLLBACK TO SAVEPOINT sallyport_measured'), 'error')
  expect(left.map((e) => e.sqlstate)).toEqual(['3B001'])
})

test('errors in what is explained are where they are in the text', async () => {
  const session = openSession()
  const text = 'SELECT :id::int, missing'
  expect(only(await explained(session, text, 'plan'), 'error')[0]?.position).toBe(text.indexOf('missing'))
  const plain = 'SELECT missing'
  expect(only(await explained(session, plain, 'measure'), 'error')[0]?.position).toBe(plain.indexOf('missing'))
})
