import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cstring, frontend, int16, message, messages } from '../../agent/inspect/postgres/messages.ts'
import { allow, type Door, hold, openDoor } from '../../agent/inspect/postgres/testing/door.ts'
import { startPostgres, type TestPostgres } from '../../agent/inspect/postgres/testing/postgres.ts'
import { charsetOf } from '../../agent/inspect/postgres/text/charsets/charset.ts'
import { type Answer, bind, execute, type RawPostgres } from '../support/raw-postgres.ts'
import { enter } from './enter.ts'

/**
 * In these encodings the second byte of a letter may be a backslash, a quote's neighbour or a letter of ASCII: who reads bytes takes the
 * end of a string for something else. `half`: a letter that ends in a backslash, and its first byte alone.
 */
let postgres: TestPostgres
let door: Door

beforeAll(async () => {
  postgres = await startPostgres()
  await postgres.direct(`set role app;
    update customers set email = '表示@例え.example', name = '能力' where id = 1;
    create schema "表"; create table "表".customers (id int, "表" text, ssn text);
    insert into "表".customers values (1, '表表', '900-00-0001');
    create table notes (id int, note text); insert into notes values (1, '表 c1@example.com 能'), (2, '表');
    alter table customers add constraint "表" check (name <> 'fail');
    reset role`)
  for (const [name, encoding] of [
    ['bytes', 'sql_ascii'],
    ['latin', 'latin1'],
    ['euc', 'euc_jp'],
  ]) {
    const locale = "lc_collate 'C' lc_ctype 'C'"
    await postgres.direct(`create database ${name} owner app template template0 encoding ${encoding} ${locale}`)
  }
  door = await openDoor(postgres.target)
  door.people.masked = new Set([...door.people.masked, 'public.notes.note', '表.customers.ssn', '表.customers.表'])
})
afterAll(async () => {
  await door?.close()
  await postgres?.close()
})

function enterIn(client_encoding: string): Promise<RawPostgres> {
  return enter(door, { client_encoding })
}

function lettersOf(encoding: string): NonNullable<ReturnType<typeof charsetOf>> {
  const letters = charsetOf(encoding)
  if (letters === undefined) throw new Error(`${encoding} is not known`)
  return letters
}

const raw = (...parts: (string | Buffer)[]): Buffer =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part)))
const query = (text: Buffer): Buffer => message(frontend.query, text, Buffer.of(0))
const parse = (text: Buffer): Buffer => message(frontend.parse, cstring(''), text, Buffer.of(0), int16(0))
const leaks = ({ bytes }: Answer): boolean => /900-00-\d{4}|c\d+@example/.test(bytes.toString('latin1'))

/** A letter that ends in a backslash, where the encoding has one. */
const halves: [string, Buffer][] = [
  ['SJIS', Buffer.of(0x95, 0x5c)],
  ['BIG5', Buffer.of(0xa5, 0x5c)],
  ['GBK', Buffer.of(0x81, 0x5c)],
  ['GB18030', Buffer.of(0x81, 0x5c)],
]
const whole: [string, Buffer][] = [
  ['UHC', Buffer.of(0x81, 0x41)],
  ['EUC_JP', Buffer.of(0xc9, 0xbd)],
  ['EUC_KR', Buffer.of(0xf8, 0xfa)],
  ['EUC_CN', Buffer.of(0xb1, 0xed)],
]

describe.each([...halves, ...whole])('a letter of %s that may hold the end of a string', (encoding, letter) => {
  const lead = letter.subarray(0, 1)
  const tail = ' || ssn from customers where id = 1 --'
  const attempts: Record<string, Buffer> = {
    'an escape string that ends behind it': raw("select E'", letter, `'${tail}'`),
    'an escape string that would go on': raw("select E'", letter, `\\'${tail}'`),
    'a string': raw("select '", letter, `'${tail}'`),
    'a string that is none without its half': raw("select '", lead, `'${tail}'`),
    'half a letter in front of a quote': raw("select '", lead, `''${tail}'`),
    'half a letter in front of an escaped quote': raw("select E'", lead, `\\'${tail}'`),
    'half a letter in front of a comment': raw('select 1 as ', lead, `/* */ ${tail}`),
    'half a letter at the end': raw(`select ssn || '' from customers where id = 1 --`, lead),
    'half a letter in quotes': raw('select 1 as "', lead, `" , ssn || '' from customers where id = 1 --"`),
    'a dollar quote': raw('select $', letter, '$ x $', letter, `$${tail}`),
    'a dollar quote whose tag is cut': raw('select $', lead, '$ x $', letter, `$${tail}`),
    'a name': raw('select ssn || $$$$ as ', letter, ' from customers where id = 1'),
    'four bytes': raw("select '", Buffer.of(0x81, 0x30, 0x27, 0x30), `'${tail}'`),
    'four bytes that are cut': raw("select '", Buffer.of(0x81, 0x30, 0x81), `'${tail}'`),
  }

  it.each(Object.entries(attempts))('%s', async (_, text) => {
    const client = await enterIn(encoding)
    for (const setting of ['on', 'off']) {
      await client.query(`set standard_conforming_strings to ${setting}`)
      expect(leaks(await client.send([query(text)]))).toBe(false)
      expect(leaks(await client.send([parse(text), bind('', ''), execute('', 0), messages.sync]))).toBe(false)
    }
    expect(leaks(await client.send([query(raw("set client_encoding to 'UTF8'; ", text))]))).toBe(false)
    await client.query(`set client_encoding to '${encoding}'`)
    const pipeline = [
      ...[parse(Buffer.from("set client_encoding to 'UTF8'")), bind('', ''), execute('', 0)],
      ...[parse(text), bind('', ''), execute('', 0), messages.sync],
    ]
    expect(leaks(await client.send(pipeline))).toBe(false)
    expect((await client.query('select 7')).rows).toBe(1)
    client.close()
  })
})

describe.each(['SJIS', 'EUC_JP', 'GBK', 'GB18030'])("a DBA's work in %s", (encoding) => {
  const letters = lettersOf(encoding)
  const said = (answer: Answer): string => letters.decode(answer.bytes, 0, answer.bytes.length) ?? unreadable(answer)
  /** Headers hold any bytes: what stands in the messages, one by one. */
  const unreadable = ({ heard }: Answer): string =>
    heard.map(({ bytes }) => from(bytes, 5) ?? from(bytes, 7) ?? bytes.toString('latin1')).join('\n')
  const from = (bytes: Buffer, start: number): string | undefined =>
    letters.decode(bytes, Math.min(start, bytes.length), bytes.length)
  const ask = (client: RawPostgres, sql: string): Promise<Answer> => client.send([query(letters.encode(sql))])

  it('reads, writes and is shown masks', async () => {
    const client = await enterIn(encoding)
    const found = await ask(client, "select id, name, email from customers where name = '能力'")
    expect(valuesOf(found, letters)).toEqual([['1', '能力', '***mple']])
    expect(found.notices).toEqual(['SPM01', 'SPT01'])
    expect(valuesOf(await ask(client, 'select \'表\' as "表"'), letters)).toEqual([['表']])
    const copied = await ask(client, 'copy (select id, name, email from customers where id = 1) to stdout')
    expect(said(copied)).toContain('1\t能力\t***mple\n')
    const prepared = await client.send([
      parse(letters.encode("select email, '表' from customers where name = $1")),
      message(
        frontend.bind,
        cstring(''),
        cstring(''),
        int16(0),
        int16(1),
        Buffer.of(0, 0, 0, 4),
        letters.encode('能力'),
        int16(1),
        int16(1),
      ),
      execute('', 0),
      messages.sync,
    ])
    expect(valuesOf(prepared, letters)).toEqual([['***mple', '表']])
    expect(
      valuesOf(await ask(client, "update customers set name = '表' where id = 2 returning name, ssn"), letters),
    ).toEqual([['表', '***0002']])
    client.close()
  })

  it('has no mask in letters that change in the same message', async () => {
    const client = await enterIn(encoding)
    const both = await ask(client, "set client_encoding to 'UTF8'; select email from customers where id = 1")
    expect(both.errors).toMatchObject([{ sqlstate: 'SPB01' }])
    expect((await ask(client, "set client_encoding to 'UTF8'; select 1")).rows).toBe(1)
    client.close()
  })

  it('has none either when its column is masked while people are asked', async () => {
    const client = await enterIn(encoding)
    door.people.masked.delete('public.customers.email')
    door.people.rule = hold('sql:select')
    door.people.epoch++
    const held = door.people.nextHold()
    const answer = ask(client, "set client_encoding to 'UTF8'; select email from public.customers where id = 1")
    await held
    door.people.masked.add('public.customers.email')
    door.people.rule = allow
    door.people.epoch++
    door.people.holds.at(-1)?.settle({ kind: 'approved', by: ['dba'] })
    expect((await answer).errors).toMatchObject([
      { sqlstate: 'SPB01', message: expect.stringContaining('changes the client encoding') },
    ])
    client.close()
  })

  it('finds names on the search_path, and in statements', async () => {
    const client = await enterIn(encoding)
    await ask(client, 'set search_path to "表", public')
    expect(valuesOf(await ask(client, 'select "表", ssn from customers'), letters)).toEqual([['***表表', '***0001']])
    expect(valuesOf(await ask(client, 'select "表" || ssn from customers'), letters)).toEqual([[null]])
    expect((await ask(client, 'select "能" from customers')).errors).toMatchObject([{ sqlstate: '42703' }])
    client.close()
  })

  it('has what is found in free text masked, and errors without values', async () => {
    door.people.scanned = new Set(['public.notes.note'])
    const client = await enterIn(encoding)
    expect(valuesOf(await ask(client, 'select note from notes order by id'), letters)).toEqual([['表 *** 能'], ['表']])
    const failed = await ask(client, "update customers set name = 'fail' where id = 1")
    expect(failed.errors).toHaveLength(1)
    expect(leaks(failed)).toBe(false)
    const fault = failed.heard.find(({ type }) => type === 'E')?.bytes ?? Buffer.alloc(0)
    expect(letters.decode(fault, 5, fault.length)).toContain('表')
    client.close()
    door.people.scanned = new Set()
  })
})

describe('a target whose own encoding is not UTF-8', () => {
  it.each(['bytes', 'latin'])('%s: names beyond ASCII are read as it reads them, or not at all', async (database) => {
    const own = await openDoor({ ...postgres.target, database })
    own.people.masked = new Set(['public.Ärger.ssn', 'public.ärger.ssn'])
    const client = await enter(own, { client_encoding: 'UTF8' })
    const long = 'ä'.repeat(40)
    await client.query('create table "ärger" (ssn text); insert into "ärger" values ($$900-00-0001$$)')
    await client.query('create table "Ärger" (ssn text)')
    for (const sql of [
      "select ssn || '' from Ärger",
      "select ssn || '' from ärger",
      `prepare "${long}a" as select 1; prepare "${long}b" as select ssn || '' from "ärger"`,
      `execute "${long}a"`,
      `execute "${long}b"`,
      `select U&"ssn" || '' from U&"\\00e4rger"`,
    ]) {
      expect(leaks(await client.query(sql)), sql).toBe(false)
    }
    expect((await client.query('select 7')).rows).toBe(1)
    client.close()
    await own.close()
  })
})

describe('a target in EUC_JP, where letters are one that are two elsewhere', () => {
  let own: Door
  const enterAs = (client_encoding: string): Promise<RawPostgres> => enter(own, { client_encoding })
  beforeAll(async () => {
    own = await openDoor({ ...postgres.target, database: 'euc' })
    own.people.masked = new Set()
    const client = await enterAs('UTF8')
    await client.query(`create table customers (id int, email text, ssn text);
      insert into customers values (1, 'c1@example.com', '900-00-0001');
      create table "表" (id int, ssn text); insert into "表" values (1, '900-00-0002')`)
    client.close()
    own.people.masked = new Set(['public.customers.email', 'public.customers.ssn', 'public.表.ssn'])
    own.people.epoch++
  })
  afterAll(async () => own?.close())

  /** Both read U+2252. */
  const [a2e2, adf0] = [Buffer.of(0xa2, 0xe2), Buffer.of(0xad, 0xf0)]
  it.each([
    ['a2e2', a2e2, adf0],
    ['adf0', adf0, a2e2],
  ])('two codes of one letter: %s', async (_, x, y) => {
    const client = await enterAs('EUC_JP')
    for (const text of [
      raw(
        'with "',
        x,
        `" as (select ssn || '' as v from customers) select * from (with "`,
        y,
        `" as (select 'x'::text as v) select v from "`,
        x,
        '") s',
      ),
      raw('select "', x, `" from (select ssn || '' as "`, x, `", 'x'::text as "`, y, '" from customers) s'),
      raw(
        'select "',
        x,
        `".v || '' from (select ssn as v from customers) "`,
        x,
        `", (select 'a'::text as v) "`,
        y,
        '"',
      ),
      raw("set search_path to '", x, "', public; select 1"),
    ]) {
      const answer = await client.send([query(text)])
      expect(leaks(answer)).toBe(false)
      expect(answer.errors).toMatchObject([{ sqlstate: '42601' }])
      expect(leaks(await client.send([parse(text), bind('', ''), execute('', 0), messages.sync]))).toBe(false)
    }
    client.close()
  })

  it.each([
    ['¦', '￤'],
    ['￤', '¦'],
  ])('two letters of one code: %s, %s', async (x, y) => {
    const client = await enterAs('UTF8')
    for (const sql of [
      `with "${x}" as (select 'x'::text as v) select * from (with "${y}" as (select ssn || '' as v from customers) select v from "${x}") s`,
      `select (select "${x}".v from (select ssn || '' as v from customers) "${y}") from (select 'x'::text as v) "${x}"`,
      `select (select "${x}" from (select ssn || '' as "${y}" from customers) s) from (select 'x'::text as "${x}") t`,
      `set search_path to '${x}', '${y}'`,
    ]) {
      const answer = await client.query(sql)
      expect(leaks(answer), sql).toBe(false)
      expect(answer.errors, sql).toMatchObject([{ sqlstate: '42601' }])
    }
    client.close()
  })

  it.each([
    ['¦', '￤'],
    ['表', '能'],
  ])('names of what a session keeps: %s, %s', async (x, y) => {
    const client = await enterAs('UTF8')
    await client.query('prepare plain as select 1')
    for (const sql of [
      `prepare "${x}" as select 'x'::text as v`,
      `deallocate "${y}"`,
      `PREPARE "${y}" as select ssn || '' as v from customers`,
      `execute "${x}"`,
      `declare "${x}" cursor with hold for select 'x'::text as v`,
      `close "${y}"`,
      `fetch "${x}"`,
      `move "${x}"`,
    ]) {
      const answer = await client.query(sql)
      expect(leaks(answer), sql).toBe(false)
      expect(answer.errors, sql).toMatchObject([{ sqlstate: '42601', message: expect.stringContaining('ASCII') }])
    }
    expect((await client.query('execute plain')).rows).toBe(1)
    client.close()
  })

  it.each(['UTF8', 'EUC_JP'])("a DBA's work goes on in %s", async (encoding) => {
    const letters = encoding === 'UTF8' ? undefined : lettersOf(encoding)
    const text = Buffer.from("select id, ssn from \"表\" where id = 1 and '能力' <> ''")
    const client = await enterAs(encoding)
    const sent = letters === undefined ? text : Buffer.from(letters.encode(text.toString()))
    const answer = await client.send([query(sent)])
    expect(answer.errors).toEqual([])
    expect(answer.rows).toBe(1)
    expect(answer.bytes.includes('***0002')).toBe(true)
    client.close()
  })
})

function valuesOf({ heard }: Answer, letters: { decode(buf: Buffer, start: number, end: number): string | undefined }) {
  return heard.flatMap(({ type, bytes }) => {
    if (type !== 'D') return []
    const out: (string | null | undefined)[] = []
    let at = 7
    for (let i = bytes.readInt16BE(5); i > 0; i--) {
      const length = bytes.readInt32BE(at)
      out.push(length < 0 ? null : letters.decode(bytes, at + 4, at + 4 + length))
      at += 4 + Math.max(length, 0)
    }
    return [out]
  })
}
