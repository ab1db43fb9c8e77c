import { beforeEach, describe, expect, it } from 'vitest'
import { say } from '../../agent/inspect/postgres/testing/wire.ts'
import { bind, execute } from '../support/raw-postgres.ts'
import { bytesOf, stand } from './enter.ts'

const secret = 'c1@example'

/** The target looks names up again when EXECUTE runs: under the search_path of that moment, not of PREPARE or of the text. */
const at = stand({
  prepare: `set role app;
    create schema mine; create table mine.customers (id int, email text); insert into mine.customers values (1, 'harmless');
    create table notes (note text);
    create function first_mail() returns text language sql stable as $$ select email from public.customers where id = 1 $$;
    create function wipe() returns text language sql as $$ delete from public.orders where id < 0; select 'wiped'::text $$;
    reset role`,
})
beforeEach(() => {
  at.door.people.requests.length = 0
})

const derived = "select email || '' as v from customers where id = 1"

describe('EXECUTE behind a change of search_path', () => {
  it.each([
    [['set search_path = mine', `prepare p as ${derived}`, 'set search_path = public; execute p']],
    [
      [
        'set search_path = mine',
        `prepare p as ${derived}`,
        'begin; set local search_path = public; execute p; rollback',
      ],
    ],
    [
      [
        'set search_path = mine',
        `prepare p as ${derived}`,
        "select set_config('search_path', 'public', false); execute p",
      ],
    ],
    [['set search_path = mine', `prepare p as ${derived}; set search_path = public; execute p`]],
    [[`set search_path = mine; prepare p as ${derived}; set search_path = public`, 'execute p']],
    [['begin; set local search_path = mine', `prepare p as ${derived}`, 'rollback; execute p']],
    // A prepared statement that changes the path by itself.
    [
      [
        'set search_path = mine',
        `prepare p as ${derived}`,
        "prepare s as select set_config('search_path', 'public', false)",
        'execute s',
        'execute p',
      ],
    ],
    [
      [
        'set search_path = mine',
        `prepare p as ${derived}`,
        "prepare s as select set_config('search_path', 'public', false)",
        'execute s; execute p',
      ],
    ],
    [
      [
        'set search_path = mine',
        "prepare s as select set_config('search_path', 'public', false)",
        `execute s; ${derived}`,
      ],
    ],
    [
      [
        'set search_path = mine',
        `prepare p(text) as ${derived}`,
        "execute p(set_config('search_path', 'public', false))",
      ],
    ],
    // By a cursor that does.
    [
      [
        'set search_path = mine',
        `prepare p as ${derived}`,
        "begin; declare c cursor for select set_config('search_path', 'public', false)",
        'fetch c; execute p',
      ],
    ],
    // A text that leaves the path as it found it.
    [[`set search_path = mine; prepare p as ${derived}; set search_path = public; execute p`]],
    [[`set search_path = mine; prepare p as ${derived}; reset search_path`, 'execute p']],
    // Read twice again, and each time as it was written.
    [
      [
        'set search_path = mine',
        `prepare h as select 'x'::text as v -- ${'-'.repeat(derived.length - 23)}\n;prepare p as ${derived}`,
        'set search_path = mine, public',
        'execute p',
        'set search_path = public',
        'execute p',
      ],
    ],
  ])('%j', async (texts) => {
    expect(await bytesOf(at.client, texts)).not.toContain(secret)
  })

  it('as a portal that was bound before', async () => {
    await at.client.query('set search_path = mine')
    await at.client.query(`prepare p as ${derived}`)
    const { bytes } = await at.client.send([
      say.parse('e', 'execute p'),
      bind('E', 'e'),
      say.describe('P', 'E'),
      say.parse('s', 'set local search_path = public'),
      bind('S', 's'),
      execute('S'),
      execute('E'),
      say.sync,
    ])
    expect(bytes.toString('latin1')).not.toContain(secret)
  })

  it('runs where the names mean nothing that is masked', async () => {
    await at.client.query(`set search_path = public`)
    await at.client.query(`prepare p as ${derived}; prepare t as select count(*)::int as n from orders`)
    const moved = await at.client.query('set search_path = mine; execute p; execute p')
    expect(moved.errors).toEqual([])
    expect(moved.bytes.toString('latin1')).toContain('harmless')
    const alone = await at.client.query('set search_path = public; execute t; deallocate p; execute t')
    expect(alone.errors).toEqual([])
    expect(alone.rows).toBe(2)
    const early = await at.client.query("begin; prepare q as select 'early' as v; execute q; commit; execute q")
    expect([early.errors, early.rows]).toEqual([[], 2])
  })
})

describe('parameters of EXECUTE', () => {
  it.each([
    ['prepare p(text) as select $1 as v', 'execute p(first_mail())'],
    ['prepare p(text) as select $1 as v', "set work_mem = '5MB'; execute p(first_mail())"],
    ['prepare p(text) as insert into notes values ($1) returning note', 'execute p(first_mail())'],
    ['prepare p(text) as select 1 where $1 like $$c1@%$$', 'execute p(first_mail())'],
  ])('count as what the statement does with them: %s, %s', async (prepare, sql) => {
    for (const use of ['lookup', 'any'] as const) {
      at.door.people.use = use
      at.door.people.epoch++
      await at.client.query('deallocate all')
      await at.client.query(prepare)
      const answer = await at.client.query(sql)
      expect(answer.bytes.toString('latin1')).not.toContain(secret)
      expect(answer.errors).toMatchObject([{ sqlstate: 'SPB01' }])
    }
    at.door.people.use = 'lookup'
    at.door.people.epoch++
  })

  it('are decided on with what they run', async () => {
    await at.client.query('prepare p(text) as select id from orders where $1 is null')
    await at.client.query('execute p(wipe())')
    const asked = at.door.people.requests.at(-1)
    expect(asked).toMatchObject({ action: 'sql:delete', tables: ['public.orders'] })
    expect(asked?.functions).toContain('public.wipe')
    const plain = await at.client.query("execute p('x')")
    expect(plain.errors).toEqual([])
  })
})

describe('a name that stands for what nobody opened', () => {
  const mails = "select email || '' as v from customers order by id"
  const notes = "select 'n' || '' as v"

  it.each([
    [['begin', `declare c cursor for ${mails}`, `explain analyze declare c cursor for ${notes}`, 'fetch 2 from c']],
    [['begin', `declare c cursor for ${mails}`, `explain (analyze) declare c cursor for ${notes}; fetch 2 from c`]],
    [['begin', `declare c cursor for ${mails}`, `explain analyze declare c cursor with hold for ${notes}`, 'fetch c']],
  ])('is a cursor that EXPLAIN ANALYZE only measures: %j', async (texts) => {
    expect(await bytesOf(at.client, texts)).not.toContain(secret)
  })

  it.each([
    [
      'a prepared statement',
      say.parse('s', notes),
      `execute 'deallocate s'; execute $q$prepare s as ${mails}$q$;`,
      [bind('', 's'), execute(''), say.sync],
    ],
    [
      'one by SQL',
      say.query(`prepare s as ${notes}`),
      `execute 'deallocate s'; execute $q$prepare s as ${mails}$q$;`,
      [],
    ],
  ] as const)('is %s that code made while nothing was masked', async (_name, made, code, use) => {
    const { masked } = at.door.people
    at.door.people.masked = new Set()
    at.door.people.epoch++
    await at.client.send(made[0] === 0x51 ? [made] : [made, say.sync])
    expect((await at.client.query(`do $do$ begin ${code} end $do$`)).errors).toEqual([])
    at.door.people.masked = masked
    at.door.people.epoch++
    for (const answer of [use.length > 0 ? await at.client.send(use) : undefined, await at.client.query('execute s')]) {
      expect(answer?.bytes.toString('latin1') ?? '').not.toContain(secret)
      if (answer !== undefined) expect(answer.errors).toMatchObject([{ sqlstate: '26000' }])
    }
  })

  it('is the same one for those for whom nothing is masked', async () => {
    const { masked } = at.door.people
    at.door.people.masked = new Set()
    at.door.people.epoch++
    await at.client.send([say.parse('s', mails), say.sync])
    await at.client.query("do $$ begin execute 'select 1'; end $$")
    at.door.people.requests.length = 0
    expect((await at.client.send([bind('', 's'), execute('', 2), say.sync])).rows).toBe(2)
    expect(at.door.people.requests.filter(({ complete }) => complete === false)).toEqual([])
    at.door.people.masked = masked
    at.door.people.epoch++
    await at.client.query('deallocate s')
    expect((await at.client.send([say.parse('s', notes), bind('', 's'), execute(''), say.sync])).rows).toBe(1)
  })
})

describe('EXPLAIN ANALYZE of EXECUTE', () => {
  it('is not decided on as a change of the session', async () => {
    const { masked } = at.door.people
    at.door.people.masked = new Set()
    at.door.people.epoch++
    try {
      await at.client.query('prepare d as delete from orders where id < 0')
      await at.client.query('explain analyze execute d')
      expect(at.door.people.requests.at(-1)).toMatchObject({ action: 'sql:unknown', complete: false })
      await at.client.query('explain execute d')
      expect(at.door.people.requests.at(-1)).toMatchObject({ action: 'sql:explain', complete: false })
    } finally {
      at.door.people.masked = masked
      at.door.people.epoch++
    }
  })
})
