import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { ask } from '../testing/asking.ts'
import { type Door, openDoor } from '../testing/door.ts'
import { startPostgres, type TestPostgres } from '../testing/postgres.ts'
import { say, summary, talk } from '../testing/wire.ts'

/** Tables of the catalog that somebody has locked: what needs names waits no longer than the agent does, and the session goes on. */

let postgres: TestPostgres
let door: Door
let admin: pg.Client

beforeAll(async () => {
  postgres = await startPostgres()
  await postgres.direct('alter role app superuser')
  // One for all: its catalog is read once.
  door = await openDoor(postgres.target)
})
afterAll(async () => {
  await door?.close()
  await postgres?.close()
})
beforeEach(async () => {
  const { host, port, database } = postgres.target
  admin = new pg.Client({ host, port, database, user: 'postgres' })
  await admin.connect()
})
afterEach(async () => admin.end())

/** What makes the next statement read the catalog. */
const change = 'create table changed(a int); drop table changed'

describe('a catalog that is locked', () => {
  it.each(['pg_class', 'pg_namespace', 'pg_proc', 'pg_attribute'])('by the session itself: %s', async (table) => {
    const client = await door.client()
    await client.query('begin')
    await client.query(`lock ${table} in access exclusive mode`)
    await client.query('create table made(a int)')
    await client.query('savepoint one')
    const { processID } = client as unknown as { processID: number }
    await expect(client.query('select id from orders limit 1')).rejects.toMatchObject({
      code: '55P03',
      severity: 'ERROR',
      message: `What names stand for can not be looked up: ${table} is locked by process ${processID}, which is this session. Nothing ran.`,
      hint: expect.stringContaining('ROLLBACK'),
    })
    await client.query('rollback to one')
    // What needs no names.
    expect((await client.query('show work_mem')).rows).toHaveLength(1)
    await client.query("set local work_mem = '8MB'")
    expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }])
    await client.query('rollback')
    expect((await client.query('select id, email from customers where id = 1')).rows).toEqual([
      { id: 1, email: '***.com' },
    ])
  })

  it('in the extended protocol: what needs no names passes, prepared before or not', async () => {
    const client = await door.client()
    await client.query({ name: 'end', text: 'commit' })
    await client.query('begin')
    await client.query('lock pg_class in access exclusive mode')
    await client.query('alter table orders add column more int')
    expect((await client.query({ text: 'show work_mem', values: [] })).rows).toHaveLength(1)
    await client.query({ name: 'end', text: 'commit' })
    expect((await client.query('select more from orders where id = $1', [1])).rows).toEqual([{ more: null }])
    await client.query('alter table orders drop column more')
  })

  it('by somebody else: the statement is refused, a pipeline goes on behind its Sync, and all is well once the lock is gone', async () => {
    const client = await door.client()
    await client.query(change)
    await admin.query('begin')
    await admin.query('lock pg_class in access exclusive mode')
    const { rows } = await admin.query<{ pid: number }>('select pg_backend_pid() as pid')
    await expect(client.query('select id from orders where id = 1')).rejects.toMatchObject({
      code: '55P03',
      message: `What names stand for can not be looked up: pg_class is locked by process ${rows[0]?.pid}. Nothing ran.`,
    })
    await expect(client.query('select id from orders where id = $1', [1])).rejects.toMatchObject({ code: '55P03' })
    await admin.query('rollback')
    expect((await client.query('select id from orders where id = $1', [1])).rows).toEqual([{ id: 1 }])
    expect(door.people.events.filter((event) => event.type === 'end')).toEqual([])
  })

  it('in pipelines: each is answered in order', async () => {
    const pipeline = [
      say.query('begin; lock pg_namespace in access exclusive mode; create table made(a int)'),
      ...ask.run('select id from orders where id = 1'),
      ...ask.run('select 1'),
      say.sync,
      ...ask.run('rollback'),
      say.sync,
      ...ask.run('select id from orders where id = 1'),
      say.sync,
      say.query('begin; lock pg_namespace in access exclusive mode; create table made(a int)'),
      say.query('select count(*) from made'),
      say.query('rollback'),
      say.query('select id from orders where id = 2'),
    ]
    expect(summary(await talk(door.port, pipeline))).toEqual([
      ...['C BEGIN', 'C LOCK TABLE', 'C CREATE TABLE', 'Z T'],
      ...['E 55P03', 'Z E'],
      ...['1', '2', 'C ROLLBACK', 'Z I'],
      ...['1', '2', 'D 1', 'C SELECT 1', 'Z I'],
      ...['C BEGIN', 'C LOCK TABLE', 'C CREATE TABLE', 'Z T'],
      ...['E 55P03', 'Z E'],
      ...['C ROLLBACK', 'Z I'],
      ...['T', 'D 2', 'C SELECT 1', 'Z I'],
    ])
  })

  it('is none of what a transaction made once it was committed', async () => {
    const client = await door.client()
    await client.query('begin')
    await client.query('create table fresh(id int, customer int)')
    await client.query('commit')
    // Neither COMMIT nor BEGIN looks a name up: what was made is known to be committed all the same.
    await client.query('begin')
    expect((await client.query('select id from fresh')).rows).toEqual([])
    await client.query('rollback')
    await client.query('drop table fresh')
  })
})

describe('a target whose catalog can’t be read for another reason', () => {
  it('has the statement refused, and the session goes on', async () => {
    const client = await door.client()
    await client.query(change)
    // The agent's own connection has to be made anew, and is not let in.
    await postgres.direct(`alter role app connection limit 1;
      alter role app nosuperuser;
      select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'sallyport catalog'`)
    try {
      await expect(client.query('select id from orders where id = 1')).rejects.toMatchObject({
        code: '58000',
        // The old connection's end may be heard while it is asked.
        message: expect.stringMatching(/too many connections for role "app"|terminat/),
      })
      await client.query('begin')
      await client.query('rollback')
    } finally {
      await postgres.direct('alter role app superuser connection limit -1')
    }
    expect((await client.query('select id from orders where id = 1')).rows).toEqual([{ id: 1 }])
  })
})
