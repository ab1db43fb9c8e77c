import { once } from 'node:events'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { parseTiming } from '../../../shared/annotation.ts'
import { connectLender } from '../../lender.ts'
import { block, type Door, hold, openDoor } from './testing/door.ts'
import { startPostgres, type TestPostgres } from './testing/postgres.ts'
import { cancelAt } from './testing/wire.ts'

let postgres: TestPostgres
let door: Door

beforeAll(async () => {
  postgres = await startPostgres()
})
afterAll(async () => postgres?.close())
beforeEach(async () => {
  door = await openDoor(postgres.target)
})
afterEach(async () => door.close())

async function connectDirect(): Promise<pg.Client> {
  const { host, port, user, password, database } = postgres.target
  const client = new pg.Client({ host, port, user, password, database })
  await client.connect()
  return client
}

describe('a session', () => {
  it('passes what is allowed, simple and extended, and records it before and after', async () => {
    const client = await door.client()
    expect((await client.query('select id, name from customers order by id limit 2')).rows).toEqual([
      { id: 1, name: 'Name 1' },
      { id: 2, name: 'Name 2' },
    ])
    expect((await client.query('select name from customers where id = $1', [7])).rows).toEqual([{ name: 'Name 7' }])
    const named = { name: 'by-id', text: 'select name from customers where id = $1' }
    expect((await client.query({ ...named, values: [8] })).rows).toEqual([{ name: 'Name 8' }])
    expect((await client.query({ ...named, values: [9] })).rows).toEqual([{ name: 'Name 9' }])
    const requests = door.people.events.filter((event) => event.type === 'request')
    expect(requests.map((event) => event.n)).toEqual([1, 2, 3, 4])
    expect(requests[1]?.text).toContain("$1 = '7'")
    expect(door.people.events.filter((event) => event.type === 'complete').map((event) => event.rows)).toEqual([
      2, 1, 1, 1,
    ])
  })

  it('masks by column, in text and binary, and says so in band', async () => {
    const client = await door.client()
    const { rows } = await client.query('select id, email, ssn, born from customers where id = 12')
    expect(rows).toEqual([{ id: 12, email: '***.com', ssn: '***0012', born: null }])
    expect(client.notices.map((notice) => notice.code)).toEqual(['SPM01'])
    const query = { text: 'select ssn, id from customers where id = $1', values: [12], binary: true }
    const binary = await client.query<{ ssn: string; id: number }>(query)
    expect(binary.rows).toEqual([{ ssn: '***0012', id: 12 }])
  })

  it('says what each command took, before it is complete, where that is drawn; native tools hear nothing of it', async () => {
    const client = await door.client()
    await client.query('begin; select pg_sleep(0.05); commit')
    expect(client.timings).toHaveLength(3)
    const [, slept] = client.timings.map(({ detail }) => parseTiming(detail ?? ''))
    expect(slept?.dbMs).toBeGreaterThanOrEqual(50)
    expect(slept?.gatewayMs).toBeGreaterThan(0)
    await client.query('select $1::int', [1])
    expect(client.timings).toHaveLength(4)
    await expect(client.query('select 1/0')).rejects.toThrow('division by zero')
    expect(client.timings).toHaveLength(4)
    door.people.annotations = 'text'
    const tool = await door.client()
    await tool.query('select 1')
    expect(tool.timings).toEqual([])
  })

  it('gives other types the fixed value of their type where NULL will not do, in both formats', async () => {
    await postgres.direct(`create table if not exists typed (id int, b bool, n numeric, d date, ts timestamptz, u uuid, j jsonb, a int[], i inet);
      truncate typed; insert into typed values (7, true, 12.5, '2026-01-02', now(), gen_random_uuid(), '{"a": 1}', '{1,2}', '10.1.2.3');
      grant select on typed to app`)
    const columns = ['b', 'n', 'd', 'ts', 'u', 'j', 'a', 'i']
    door.people.masked = new Set(columns.map((column) => `public.typed.${column}`))
    door.people.others = 'fixed'
    const client = await door.client()
    const zero = { b: false, n: '0', j: null, a: [], i: '0.0.0.0', u: '00000000-0000-0000-0000-000000000000' }
    const text = await client.query('select * from typed')
    expect(text.rows[0]).toMatchObject({ id: 7, ...zero })
    expect(text.rows[0].ts.toISOString()).toBe('2000-01-01T00:00:00.000Z')
    // The target reads them back in binary format: they are what it takes for such values.
    const sizes = { getTypeParser: () => (value: Buffer) => value.length }
    const query = {
      text: `select ${columns.join(', ')}, id from typed where id = $1`,
      values: [7],
      binary: true,
      types: sizes,
    }
    const binary = await client.query<Record<string, number>>(query)
    expect(Object.values(binary.rows[0] ?? {})).toEqual([1, 8, 4, 8, 16, 5, 12, 8, 4])
  })

  it('searches free text and JSON, in text and binary, plain and field by field', async () => {
    await postgres.direct(`create table if not exists tickets (id int, body text, data jsonb, raw json, tags text[], due date);
      truncate tickets; insert into tickets values (1, 'ask lena@mailbox.com', '{"to": "lena@mailbox.com", "n": 1}', '{"to":"lena\\u0040mailbox.com"}', '{a,lena@mailbox.com}', '2026-01-02');
      grant select on tickets to app`)
    for (const column of ['body', 'data', 'raw', 'tags', 'due']) door.people.scanned.add(`public.tickets.${column}`)
    const client = await door.client()
    const expected = { id: 1, body: 'ask ***', data: { to: '***', n: 1 }, raw: { to: '***' }, tags: ['a', '***'] }
    expect((await client.query('select * from tickets')).rows[0]).toMatchObject(expected)
    const raw = { getTypeParser: () => (value: Buffer) => value.toString('latin1') }
    const query = {
      text: 'select body, data, raw, tags from tickets where id = $1',
      values: [1],
      binary: true,
      types: raw,
    }
    const binary = await client.query<Record<string, string>>(query)
    const shown = JSON.stringify(binary.rows)
    expect(shown).not.toContain('lena')
    expect(shown.match(/\*\*\*/g)).toHaveLength(4)
    const derived = `select data->>'to' as field, data->'n' as n, upper(body) as upper, coalesce(body, '') as body, to_jsonb(t) as all,
      left(body, 8) as cut, (select json_agg(x.body) from tickets x) as docs from tickets t where body like 'ask%'`
    expect((await client.query(derived)).rows).toEqual([
      {
        field: '***',
        n: 1,
        upper: null,
        body: 'ask ***',
        all: { ...expected, due: '2026-01-02' },
        cut: null,
        docs: ['ask ***'],
      },
    ])
    const each = await client.query("select e.value from tickets, jsonb_each_text(data) e where e.key = 'to'")
    expect(each.rows).toEqual([{ value: '***' }])
    expect(client.notices.map((notice) => notice.code)).toContain('SPM01')
  })

  it('brings large results whole to a client that reads in fits, from memory that is used again', async () => {
    const lending = await openDoor(postgres.target, {
      dial: async () => {
        const socket = connectLender({ host: postgres.target.host, port: postgres.target.port })
        await once(socket, 'connect')
        return socket
      },
      wrap: (socket) => {
        const fits = setInterval(() => {
          socket.cork()
          setTimeout(() => socket.uncork(), 4)
        }, 8)
        socket.once('close', () => clearInterval(fits))
        return socket
      },
    })
    try {
      const client = await lending.client()
      const from = 'from customers c cross join generate_series(1, 1500) n order by n, c.id limit 100000'
      const masked = await client.query({ text: `select c.id, c.email, md5(n::text) as m ${from}`, rowMode: 'array' })
      const clear = await client.query({ text: `select c.id, c.name, md5(n::text) as m ${from}`, rowMode: 'array' })
      const direct = await postgres.direct(`select c.id, c.name, md5(n::text) as m ${from}`)
      const expected = direct.rows.map((row: { id: number; name: string; m: string }) => [row.id, row.name, row.m])
      expect(clear.rows).toEqual(expected)
      expect(masked.rows).toEqual(expected.map(([id, , m]) => [id, '***.com', m]))
    } finally {
      await lending.close()
    }
  })

  it('follows no code whose strings can be read in two ways', async () => {
    await postgres.direct(
      String.raw`create or replace function twofold() returns text language sql set standard_conforming_strings to off as
        $$ select 'a\'' || ssn || '' from customers where id = 1 --'
        $$`,
    )
    await postgres.direct('grant execute on function twofold() to app')
    const client = await door.client()
    await expect(client.query('select twofold()')).rejects.toMatchObject({ code: 'SPB01' })
    await client.query('set standard_conforming_strings to off')
    await expect(
      client.query(String.raw`do $$ begin raise notice '%', 'a\'' || (select ssn from customers limit 1) --'; end $$`),
    ).rejects.toMatchObject({ code: 'SPB01' })
  })

  it('answers a blocked statement in order, and goes on', async () => {
    door.people.rule = block('sql:delete')
    const client = await door.client()
    const results = await Promise.allSettled([
      client.query('select 1 as one'),
      client.query('delete from orders where id = 1'),
      client.query('delete from orders where id = $1', [1]),
      client.query('select 2 as two'),
    ])
    expect(results.map((result) => result.status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled'])
    for (const result of results) {
      if (result.status !== 'rejected') continue
      expect(result.reason).toMatchObject({ code: 'SPB01', message: expect.stringMatching(/^Blocked by no-writes: /) })
      // Who draws the annotation has a place of its own for the policy.
      expect(JSON.parse(result.reason.detail).message).toBe('Production is not written to. Nothing ran.')
    }
    expect((await postgres.direct('select count(*)::int as n from orders')).rows).toEqual([{ n: 100 }])
  })

  it('holds a statement until people decide, and runs it once', async () => {
    door.people.rule = hold('sql:update')
    const client = await door.client()
    const held = door.people.nextHold()
    const update = client.query("update orders set note = 'held' where id = 3")
    await held
    expect(client.notices.map((notice) => notice.code)).toEqual([])
    door.people.holds[0]?.settle({ kind: 'approved', by: ['grace'] })
    expect((await update).rowCount).toBe(1)
    expect(client.notices.map((notice) => notice.code)).toEqual(['SPH01', 'SPA01'])
  })

  it('shows who decides all that will run, however long a parameter is', async () => {
    door.people.rule = hold('sql:update')
    const client = await door.client()
    const held = door.people.nextHold()
    const note = `${'x'.repeat(5_000)}\n\u202eend`
    const update = client.query('update orders set note = $1 where id = $2', [note, 4])
    await held
    const request = door.people.holds[0]?.request
    expect(request?.text).toBe(
      `update orders set note = $1 where id = $2\n-- $1 = E'${'x'.repeat(5_000)}\\n\\U0000202eend', $2 = '4'`,
    )
    door.people.holds[0]?.settle({ kind: 'approved', by: ['grace'] })
    expect((await update).rowCount).toBe(1)
  })

  it('keeps named statements, cursors and row limits apart', async () => {
    const client = await door.client()
    await client.query('prepare by_id as select id, email from customers where id = $1')
    expect((await client.query('execute by_id(5)')).rows).toEqual([{ id: 5, email: '***.com' }])
    await client.query('begin')
    await client.query('declare c cursor for select ssn from customers order by id')
    expect((await client.query('fetch 2 from c')).rows).toEqual([{ ssn: '***0001' }, { ssn: '***0002' }])
    await client.query('commit')
    await client.query('deallocate by_id')
    await expect(client.query('execute by_id(5)')).rejects.toMatchObject({ code: '26000' })
    await expect(client.query('fetch 1 from nowhere')).rejects.toMatchObject({ code: '34000' })
    const limited = { text: 'select ssn from customers order by id limit 3', rows: 1 }
    expect((await client.query<{ ssn: string }>(limited)).rows.at(0)).toEqual({ ssn: '***0001' })
  })

  it('judges a name by what the target took, not by what was asked', async () => {
    const client = await door.client()
    await client.query('prepare p as select ssn from customers where id = 1')
    await expect(client.query('prepare p as select id from customers where id = 1')).rejects.toMatchObject({
      code: '42P05',
    })
    expect((await client.query('execute p')).rows).toEqual([{ ssn: '***0001' }])
  })

  it('follows search_path, also when a transaction takes it back', async () => {
    const client = await door.client()
    await client.query('set search_path to other')
    expect((await client.query('select secret from orders')).rows).toEqual([{ secret: 'elsewhere' }])
    await client.query('set search_path to public')
    await client.query('begin')
    await client.query('set local search_path to other')
    await client.query('rollback')
    expect((await client.query('select ssn from customers where id = 2')).rows).toEqual([{ ssn: '***0002' }])
    const answers = await client.query('set search_path to other; select secret from orders')
    expect(Array.isArray(answers) ? answers[1].rows : answers).toEqual([{ secret: 'elsewhere' }])
  })

  it('judges what PREPARE named by what its names mean when it is executed', async () => {
    const client = await door.client()
    await client.query('create temp table customers (id int)')
    await client.query('prepare p as select c::text as row from customers c')
    expect((await client.query('execute p')).rows).toEqual([])
    await client.query('drop table pg_temp.customers')
    const { rows } = await client.query<{ row: string | null }>('execute p')
    expect(new Set(rows.map(({ row }) => row))).toEqual(new Set([null]))
  })

  it('knows its own temporary schema, whoever came and went before it', async () => {
    // Numbers of server processes below ours fall free: counting processes does not give ours.
    const others = await Promise.all(Array.from({ length: 4 }, () => connectDirect()))
    const client = await door.client()
    await client.query('select 1')
    await Promise.all(others.map((other) => other.end()))
    await client.query('begin')
    await client.query('create temp table undone (id int)')
    await client.query('rollback')
    await client.query('create temp table orders as select id, id as customer from public.orders limit 3')
    expect(Object.keys((await client.query('select * from orders limit 1')).rows[0])).toEqual(['id', 'customer'])
    const { rows } = await client.query('with t as (select 1) select ssn from customers where id = 5')
    expect(rows).toEqual([{ ssn: '***0005' }])
  })

  it('leaves a transaction failed when a statement in it is blocked', async () => {
    door.people.rule = block('sql:delete')
    const client = await door.client()
    await client.query('begin')
    await expect(client.query('delete from orders')).rejects.toMatchObject({ code: 'SPB01' })
    await expect(client.query('select 1')).rejects.toMatchObject({ code: '25P02' })
    await client.query('rollback')
    expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  })

  it('decides again when a prepared statement runs', async () => {
    const client = await door.client()
    const named = { name: 'ssn', text: 'select ssn from customers where id = $1', values: [4] }
    expect((await client.query(named)).rows).toEqual([{ ssn: '***0004' }])
    door.people.masked = new Set()
    door.people.epoch++
    expect((await client.query(named)).rows).toEqual([{ ssn: '900-00-0004' }])
    door.people.masked = new Set(['public.customers.ssn'])
    door.people.epoch++
    expect((await client.query(named)).rows).toEqual([{ ssn: '***0004' }])
    door.people.rule = block('sql:select')
    door.people.epoch++
    await expect(client.query(named)).rejects.toMatchObject({ code: 'SPB01' })
  })

  it('ends where something that runs shows what is masked again by now, and nowhere else', async () => {
    const { people } = door
    const owner = await connectDirect()
    await owner.query('begin; select from customers where id < 4 for update')
    const asked = () => people.events.filter((event) => event.type === 'request').length
    const waiting = async (column: string) => {
      const client = await door.client()
      client.on('error', () => {})
      const before = asked()
      const answer = client.query(`select ${column} from customers where id < 4 for update`).then(
        ({ rows }) => rows.length,
        (error: Error) => error.message,
      )
      await expect.poll(asked).toBe(before + 1)
      return { answer, session: door.sessions.at(-1) }
    }
    people.masked = new Set(['public.customers.email'])
    const [shows, masked, other] = [await waiting('ssn'), await waiting('email'), await waiting('id')]
    // A change that is about none of them.
    people.epoch++
    for (const { session } of [shows, masked, other]) session?.reconsider?.()
    people.masked = new Set(['public.customers.ssn', 'public.customers.email'])
    people.epoch++
    for (const { session } of [shows, masked, other]) session?.reconsider?.()
    await owner.query('commit')
    await owner.end()
    expect(await shows.answer).toMatch(/masked for you again/)
    expect(await masked.answer).toBeGreaterThan(0)
    expect(await other.answer).toBeGreaterThan(0)
  })

  it('says denied, expired and cancelled', async () => {
    door.people.rule = hold('sql:update')
    const client = await door.client()
    for (const [outcome, code] of [
      [{ kind: 'denied', by: 'grace', reason: 'Not now' }, 'SPD01'],
      [{ kind: 'expired' }, 'SPX01'],
    ] as const) {
      const held = door.people.nextHold()
      const update = client.query('update orders set note = $1 where id = 1', ['x'])
      await held
      door.people.holds.at(-1)?.settle(outcome)
      await expect(update).rejects.toMatchObject({ code })
    }
    const held = door.people.nextHold()
    const update = client.query("update orders set note = 'x' where id = 1")
    await held
    await cancelAt(client, door.port)
    await expect(update).rejects.toMatchObject({ code: '57014' })
    expect((await postgres.direct('select note from orders where id = 1')).rows).toEqual([{ note: 'note 1' }])
  })

  it('forwards nothing that cannot be recorded', async () => {
    const client = await door.client()
    await client.query('select 1')
    door.people.onRecord = (event) => {
      if (event.type === 'request') throw new Error('disk full')
      return undefined
    }
    await expect(client.query('delete from orders')).rejects.toMatchObject({ code: 'SPE01' })
    expect((await postgres.direct('select count(*)::int as n from orders')).rows).toEqual([{ n: 100 }])
  })

  it('says why it ends when what ran cannot be noted as done', async () => {
    const client = await door.client()
    door.people.onRecord = (event) => {
      if (event.type === 'complete') throw new Error('disk full')
      return undefined
    }
    await expect(client.query('select id from orders limit 3')).rejects.toMatchObject({ code: 'SPE01' })
  })

  it('ends with a reason', async () => {
    const client = await door.client()
    const failed = client.query('select pg_sleep(60)')
    door.sessions[0]?.end('grace ended this session.')
    await expect(failed).rejects.toMatchObject({ code: 'SPE01', message: 'grace ended this session.' })
    expect(await door.sessions[0]?.done).toMatchObject({ reason: 'grace ended this session.' })
    expect(door.people.events.at(-1)).toMatchObject({ type: 'end', reason: 'grace ended this session.' })
  })

  it('keeps values of masked columns out of error text', async () => {
    const client = await door.client()
    const failed = client.query("update customers set id = 2 where ssn = '900-00-0001'")
    await expect(failed).rejects.toMatchObject({ code: '23505', detail: undefined })
  })

  it('tells the client when the target hangs up in the middle of a result', async () => {
    const client = await door.client()
    await client.query('select 1')
    // Watched from the start: it may fail before the loop below has seen that it did.
    const failed = expect(client.query('select id, ssn, pg_sleep(0.01) from customers')).rejects.toMatchObject({
      code: '57P01',
    })
    await eventually(async () => {
      const { rows } = await postgres.direct(
        "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'app' and query like 'select id, ssn, pg_sleep%'",
      )
      return rows.length > 0
    })
    await failed
  })

  it('reads what it did not know, and what changed since', async () => {
    const client = await door.client()
    await client.query('create table fresh(id int, email text)')
    await client.query("insert into fresh values (1, 'a@b')")
    expect((await client.query('select email from fresh')).rows).toEqual([{ email: 'a@b' }])
    const named = { name: 'v', text: 'select shown from changing' }
    await client.query('create view changing as select name as shown from customers where id = 6')
    expect((await client.query(named)).rows).toEqual([{ shown: 'Name 6' }])
    // Someone else changes the view, and the next definition seen here has the catalog read again.
    await postgres.direct('create or replace view changing as select ssn as shown from customers where id = 6')
    await client.query('create table other.later(id int)')
    expect((await client.query(named)).rows).toEqual([{ shown: '***0006' }])
    await client.query('drop view changing; drop table fresh, other.later')
  })

  it('takes codes of decisions away from the target', async () => {
    const client = await door.client()
    door.people.masked = new Set()
    const raised = client.query("do $$ begin raise exception 'fake' using errcode = 'SPA01'; end $$")
    await expect(raised).rejects.toMatchObject({ code: 'XX000' })
  })

  it('reads strings as the target does, whichever way it was told to', async () => {
    const client = await door.client()
    // One string, or a column between two and a comment.
    const twofold = "select 'a\\'', ssn, '' from customers where id = 1 --'"
    expect((await client.query({ text: twofold, rowMode: 'array' })).rows).toEqual([
      ["a\\', ssn, ' from customers where id = 1 --"],
    ])
    await client.query('set standard_conforming_strings to off')
    expect((await client.query({ text: twofold, rowMode: 'array' })).rows).toEqual([["a'", '***0001', '']])
    door.people.rule = block('sql:delete')
    await expect(client.query("select '\\''; delete from orders --'")).rejects.toMatchObject({ code: 'SPB01' })
    expect((await client.query("select 'x\\'; delete from orders --' as text")).rows).toEqual([
      { text: "x'; delete from orders --" },
    ])
    await expect(client.query("select N'\\''")).rejects.toMatchObject({
      message: expect.stringContaining('can not be read here'),
    })
    expect(door.people.events.filter((event) => event.type === 'request').map(({ text }) => text)).toContain(
      "select  E'x\\'; delete from orders --' as text",
    )
  })
})

async function eventually(check: () => Promise<boolean>): Promise<void> {
  while (!(await check())) await new Promise((resolve) => setImmediate(resolve))
}
