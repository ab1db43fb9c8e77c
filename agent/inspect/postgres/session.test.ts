import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { block, type Door, hold, openDoor } from './testing/door.ts'
import { startPostgres, type TestPostgres } from './testing/postgres.ts'

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
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'SPB01' })
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
})
