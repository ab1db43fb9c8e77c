import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Door, openDoor } from '../../agent/inspect/postgres/testing/door.ts'
import { startPostgres, type TestPostgres } from '../../agent/inspect/postgres/testing/postgres.ts'
import { say } from '../../agent/inspect/postgres/testing/wire.ts'
import { RawPostgres } from '../support/raw-postgres.ts'

/** A function that is called by its number: what it gives comes past RowDescription and rows. */
let postgres: TestPostgres
let door: Door
let client: RawPostgres

beforeAll(async () => {
  postgres = await startPostgres()
  await postgres.direct(`set role app;
    create function mail_of(int) returns text language sql stable as $$ select email from public.customers where id = $1 $$;
    create function total_of(int) returns numeric language sql stable as $$ select total from public.orders where id = $1 $$;
    reset role`)
  door = await openDoor(postgres.target)
  const { sensitivity } = door.people
  // A class that may be used in any way, and whose derived values come as NULL.
  door.people.sensitivity = (...column) => {
    const found = sensitivity.apply(door.people, column)
    return found && { ...found, use: 'any', derived: 'null' }
  }
  client = await RawPostgres.open({ host: '127.0.0.1', port: door.port, user: 'ada', database: 'orders-db' })
})
afterAll(async () => {
  client?.close()
  await door?.close()
  await postgres?.close()
})

async function call(name: string, ...values: string[]) {
  const { rows } = await postgres.direct(`select '${name}'::regproc::oid::int as oid`)
  return client.send([say.call(rows[0].oid, ...values)])
}

describe('a function that is called by its number', () => {
  it('does not show what it would show masked in a SELECT', async () => {
    const selected = await client.query('select mail_of(1)')
    expect(selected.bytes.includes('@example.com')).toBe(false)
    expect(selected.errors).toEqual([])
    const called = await call('mail_of', '1')
    expect(called.bytes.includes('@example.com')).toBe(false)
    expect(called.errors).toMatchObject([{ sqlstate: 'SPB01' }])
    expect((await client.query('select 7')).rows).toBe(1)
  })

  it('gives what is not masked', async () => {
    const called = await call('total_of', '1')
    expect(called.heard.map(({ type }) => type)).toEqual(['V', 'Z'])
  })
})
