import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Door, openDoor } from '../testing/door.ts'
import { startPostgres, type TestPostgres } from '../testing/postgres.ts'

let postgres: TestPostgres
let door: Door

beforeAll(async () => {
  postgres = await startPostgres()
  await postgres.direct(`
    set role app;
    create table people(id int, note text);
    create table staff(ssn text) inherits (people);
    insert into staff values (1, 'a note of staff', '900-00-0001');
    create table parts(id int, secret text) partition by list (id);
    create table parts_1 partition of parts for values in (1);
    insert into parts values (1, 'hush');
    reset role`)
})
afterAll(async () => postgres?.close())
beforeEach(async () => {
  door = await openDoor(postgres.target)
})
afterEach(async () => door.close())

describe('the catalog', () => {
  it('masks what is read through a parent where only a child is classified', async () => {
    door.people.masked = new Set(['public.staff.note', 'public.parts_1.secret'])
    const client = await door.client()
    expect((await client.query('select note from people')).rows).toEqual([{ note: '***taff' }])
    expect((await client.query('select secret from parts')).rows).toEqual([{ secret: '***hush' }])
    await expect(client.query('select 1 from parts where secret > $1', ['a'])).rejects.toMatchObject({ code: 'SPB01' })
  })

  it('is read past a table that the session itself has locked', async () => {
    door.people.masked = new Set()
    const client = await door.client()
    await client.query('begin')
    await client.query('alter table customers add column extra int')
    await client.query('lock table orders in access exclusive mode')
    expect((await client.query('select extra from customers where id = 1')).rows).toEqual([{ extra: null }])
    expect((await client.query('select count(*)::int as n from contacts')).rows).toEqual([{ n: 1000 }])
    await client.query('rollback')
  })

  it('survives what others drop while it is read', async () => {
    door.people.masked = new Set()
    const client = await door.client()
    const churn = Promise.all(
      [1, 2, 3].map(async (n) => {
        const other = await door.client()
        for (let i = 0; i < 8; i++) {
          await other.query(`create table churn_${n}_${i}(a int)`)
          await other.query(`create view churned_${n}_${i} as select a from churn_${n}_${i}`)
          await other.query(`drop table churn_${n}_${i} cascade`)
        }
      }),
    )
    for (let i = 0; i < 16; i++) await client.query(`create temp table mine_${i}(a int)`)
    await churn
  })

  it('answers in a failed transaction whose settings can’t be asked for', async () => {
    const client = await door.client()
    await client.query('begin')
    await client.query('set search_path to public')
    await expect(client.query('select 1/0')).rejects.toMatchObject({ code: '22012' })
    await expect(client.query('select $1::int', [1])).rejects.toMatchObject({ code: '25P02' })
    await client.query('rollback')
    expect((await client.query('select $1::int as a', [1])).rows).toEqual([{ a: 1 }])
  })
})
