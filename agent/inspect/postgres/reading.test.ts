import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cstring, frontend, int16, message } from './messages.ts'
import { writeStartup } from './start/startup.ts'
import { openDoor } from './testing/door.ts'
import { startPostgres, type TestPostgres } from './testing/postgres.ts'
import { say, summary, talk } from './testing/wire.ts'

/** How the target reads a text hangs on settings that it reports late, or not at all when they change back at once. */
describe('settings that a text is read by', () => {
  let postgres: TestPostgres

  beforeAll(async () => {
    postgres = await startPostgres()
    await postgres.direct(
      'create schema staging; grant usage on schema staging to app; create table staging.customers (id int, ssn text); grant select on staging.customers to app',
    )
  })
  afterAll(async () => postgres?.close())

  const parse = (bytes: Buffer) => message(frontend.parse, cstring(''), bytes, Buffer.of(0), int16(0))
  const runs = (text: string | Buffer): Buffer[] => [
    typeof text === 'string' ? say.parse('', text) : parse(text),
    say.bindTo('', ''),
    say.execute(''),
  ]
  // In SJIS a letter, and the string ends behind it. In UTF8 it ends at the last quote.
  const asSjis = Buffer.concat([
    Buffer.from("select E'"),
    Buffer.of(0x95, 0x5c),
    Buffer.from("' || ssn from customers where id = 1 --'"),
  ])
  // With standard_conforming_strings on, the string ends at the second quote; with it off at the last.
  const asOn = "select '\\' || ssn from customers where id = 1 --'"
  const fails = runs('select 1/0')
  const sjis = writeStartup([
    ['user', 'ada'],
    ['database', 'orders-db'],
    ['client_encoding', 'SJIS'],
  ])

  it.each<[string, Buffer[], Buffer?]>([
    ['an encoding within a pipeline', [...runs("set client_encoding to 'SJIS'"), ...runs(asSjis), say.sync]],
    [
      'an encoding that an error changes back',
      [...runs("set client_encoding to 'UTF8'"), ...runs('select 1'), ...fails, say.sync, ...runs(asSjis), say.sync],
      sjis,
    ],
    [
      'standard_conforming_strings that an error changes back',
      [...runs('set standard_conforming_strings to off'), ...runs('select 1'), ...fails, say.sync, say.query(asOn)],
    ],
    [
      'standard_conforming_strings that an error in a transaction changes back',
      [
        ...runs('begin'),
        ...runs('set standard_conforming_strings to off'),
        ...runs('select 1'),
        ...fails,
        say.sync,
        say.query(`rollback; ${asOn}`),
      ],
    ],
    [
      'a search_path that an error changes back',
      [
        ...runs('set search_path to staging'),
        ...runs('select 1'),
        ...fails,
        say.sync,
        say.query("select ssn || '' from customers where id = 1"),
      ],
    ],
    [
      'a search_path that the end of a pipeline changes back',
      [
        ...runs('set local search_path to staging'),
        ...runs('select 1'),
        say.sync,
        say.query("select ssn || '' from customers where id = 1"),
      ],
    ],
    [
      'standard_conforming_strings that the end of a pipeline changes back',
      [...runs('set local standard_conforming_strings to off'), ...runs('select 1'), say.sync, say.query(asOn)],
    ],
    [
      'a search_path that an error changes back, for a statement that is bound',
      [
        say.parse('s', "select ssn || '' from customers where id = 1"),
        say.sync,
        ...runs('set search_path to staging'),
        ...runs('select 1'),
        ...fails,
        say.sync,
        say.bindTo('', 's'),
        say.execute(''),
        say.sync,
      ],
    ],
  ])('%s: no masked value passes for something else', async (_, script, startup) => {
    const door = await openDoor(postgres.target)
    try {
      const heard = summary(await talk(door.port, [...script, say.query('rollback'), say.query('select 7')], startup))
      expect(heard.join('\n')).not.toMatch(/\d{3}-\d{2}-\d{4}/)
      // The session goes on.
      expect(heard.slice(-3)).toEqual(['D 7', 'C SELECT 1', 'Z I'])
    } finally {
      await door.close()
    }
  })
})
