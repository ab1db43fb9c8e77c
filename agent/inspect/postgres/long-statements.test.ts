import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { frontend, message } from './messages.ts'
import { ask } from './testing/asking.ts'
import { type Door, openDoor } from './testing/door.ts'
import { startPostgres, type TestPostgres } from './testing/postgres.ts'
import { say, summary, talk } from './testing/wire.ts'

let postgres: TestPostgres
let door: Door

beforeAll(async () => {
  postgres = await startPostgres()
  await postgres.direct('set role app; create table files(id int, data text); reset role')
  door = await openDoor(postgres.target)
})
afterAll(async () => {
  await door?.close()
  await postgres?.close()
})

const eight = 'x'.repeat(8 << 20)

describe('a long statement', () => {
  it('runs whole where it is long by its values, and is recorded without them', async () => {
    const client = await door.client()
    await client.query(`begin; insert into files values (1, '${eight}'); commit`)
    await client.query(`insert into files values ($1, e'\\n${eight}')`, [2])
    const { rows } = await client.query('select id, length(data) from files order by id')
    expect(rows).toEqual([
      { id: 1, length: eight.length },
      { id: 2, length: eight.length + 1 },
    ])
    const texts = door.people.events.flatMap((event) => (event.type === 'request' ? [event.text] : []))
    expect(texts[1]).toContain("insert into files values (1, '(8388608 characters, left out here; they begin: xxx")
    expect(Math.max(...texts.map((text) => text.length))).toBeLessThan(1_000)
  })

  it('is masked like any other', async () => {
    const client = await door.client()
    const { rows } = await client.query(`select email from customers where id = 1 and '${eight}' <> 'y'`)
    expect(rows).toEqual([{ email: '***.com' }])
    await expect(client.query(`select query_to_xml('select email from customers -- ${eight}', true, true, '')`))
      .rejects // that of
      .toMatchObject({ code: 'SPB01' })
  })

  it.each([
    ['code', `do $$ begin perform '${eight}'; end $$`],
    ['code in quotes', `do 'begin perform 1; end -- ${eight}'`],
    ['rows', `insert into files values ${"(1, 'x'), ".repeat(300_000)} (1, 'x')`],
  ])('is refused in words that help where it is long by %s, and the session goes on', async (_, text) => {
    const client = await door.client()
    await expect(client.query(text)).rejects.toMatchObject({ code: '42601', message: expect.stringContaining('COPY') })
    expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  })

  it('of more than 64 MiB is refused, in any message, and the session goes on', async () => {
    const large = Buffer.alloc(65 << 20, 0x78)
    const long = (type: number, ...head: string[]) => message(type, Buffer.from(head.join('')), large, Buffer.alloc(1))
    const script = [
      long(frontend.query, "select '"),
      long(frontend.parse, '\0', "select '"),
      ...ask.run('select 2'),
      say.sync,
      ...[say.parse('s', 'select $1::text'), long(frontend.bind, '\0', 's\0'), say.execute(''), say.sync],
      ...[...ask.run('select 3'), say.sync],
    ]
    expect(summary(await talk(door.port, script))).toEqual([
      ...['E 54000', 'Z I'],
      ...['E 54000', 'Z I'],
      ...['1', 'E 54000', 'Z I'],
      ...['1', '2', 'D 3', 'C SELECT 1', 'Z I'],
    ])
  })
})
