import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { ask } from './testing/asking.ts'
import { type Door, openDoor } from './testing/door.ts'
import { startPostgres, type TestPostgres } from './testing/postgres.ts'
import { say, summary, talk } from './testing/wire.ts'

/** Somebody else, past every gateway, drops a table and makes another of its name. */
let postgres: TestPostgres
let door: Door
let client: Awaited<ReturnType<Door['client']>>

const columns = 'id int primary key, name text, email text, ssn text, extra text'
const fill = (email: string) => `insert into people values (1, 'Name', '${email}', '900-00-0001', 'x')`
const again = `set role app; drop table if exists people; create table people (${columns}); ${fill('c1@example.com')}; reset role`

beforeAll(async () => {
  postgres = await startPostgres()
  await postgres.direct(again)
})
afterAll(async () => postgres?.close())
beforeEach(async () => {
  door = await openDoor(postgres.target)
  door.people.masked = new Set(['public.people.email', 'public.people.ssn'])
  client = await door.client()
})
afterEach(async () => door.close())

const refused = { code: 'SPB01' }
const read = 'select id, email from people'
const shown = [{ id: 1, email: '***.com' }]

describe('a table that was made anew behind the gateway', () => {
  it('is refused once, and read again', async () => {
    expect((await client.query(read)).rows).toEqual(shown)
    await postgres.direct(again)
    await expect(client.query(read)).rejects.toMatchObject({
      ...refused,
      message: expect.stringContaining('a table that the catalog does not know'),
    })
    expect((await client.query(read)).rows).toEqual(shown)
    expect(door.people.events.filter(({ type }) => type === 'complete').map((one) => 'ok' in one && one.ok)).toEqual([
      true,
      false,
      true,
    ])
  })

  it('is refused in the extended protocol, by name, and without rows', async () => {
    const named = { name: 'people', text: `${read} where id >= $1`, values: [1] }
    expect((await client.query(named)).rows).toEqual(shown)
    await postgres.direct(again)
    await expect(client.query(named)).rejects.toMatchObject(refused)
    expect((await client.query(named)).rows).toEqual(shown)
    await postgres.direct(again)
    await expect(client.query(`${read} where id = $1`, [9])).rejects.toMatchObject(refused)
    expect((await client.query(`${read} where id = $1`, [9])).rows).toEqual([])
  })

  it('leaves a transaction as it is', async () => {
    expect((await client.query(read)).rows).toEqual(shown)
    await postgres.direct(again)
    await client.query('begin')
    await expect(client.query(read)).rejects.toMatchObject(refused)
    await client.query('commit')
    expect((await client.query(read)).rows).toEqual(shown)
  })

  it('is not read past whoever waits for what comes behind', async () => {
    expect((await client.query(read)).rows).toEqual(shown)
    const heardOf = async (script: Buffer[]): Promise<string[]> => {
      await postgres.direct(again)
      return summary(await talk(door.port, script))
    }
    // Nothing else hangs on it: the session goes on.
    const alone = await heardOf([...ask.described(read), say.close('P', ''), say.sync, say.query('select 7')])
    expect(alone.slice(-3)).toEqual(['D 7', 'C SELECT 1', 'Z I'])
    expect(alone.slice(0, -4)).toEqual(['1', '2', 'T', 'E SPB01', 'Z I'])
    const flushed = await heardOf([...ask.described(read), say.flush, say.sync, say.query('select 7')])
    expect(flushed.slice(-3)).toEqual(['D 7', 'C SELECT 1', 'Z I'])
    // The target runs what stands behind it, which the client would take for skipped.
    for (const script of [
      [...ask.described(read), ...ask.described("update people set name = 'y'"), say.sync],
      [say.query(`${read}; update people set name = 'y'`)],
      [say.query(`update people set name = 'y' returning email`)],
    ]) {
      const heard = await heardOf(script)
      expect(heard.join('\n')).not.toMatch(/^D /m)
      expect(heard.at(-1)).toMatch(/^E SP/)
    }
  })

  it('is withheld whole, however long its rows are', async () => {
    expect((await client.query(read)).rows).toEqual(shown)
    await postgres.direct(
      `${again}; insert into people select i, repeat('x', 100000), 'c' || i || '@example.com' from generate_series(2, 40) i`,
    )
    await expect(client.query('select id, name, email from people')).rejects.toMatchObject(refused)
    expect((await client.query('select count(*)::int as n from people')).rows).toEqual([{ n: 40 }])
  })
})
