import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { inPieces } from './testing/chunks.ts'
import { block, dialTarget, hold, openDoor } from './testing/door.ts'
import { startPostgres, type TestPostgres } from './testing/postgres.ts'
import { say, summary, talk } from './testing/wire.ts'

let postgres: TestPostgres

beforeAll(async () => {
  postgres = await startPostgres()
  await postgres.direct('set role app; create table inbox(id int, body text); reset role')
})
afterAll(async () => postgres?.close())

/** Every kind of answer, asked for without waiting for any. */
const script = [
  say.query('select id, ssn from customers where id = 1; select 2'),
  say.parse('', 'select ssn, born, id from customers where id = $1'),
  say.bindTo('', '', '7'),
  say.describe('P', ''),
  say.execute(''),
  say.sync,
  // Blocked in the middle of a pipeline: what follows is skipped up to Sync.
  say.parse('', 'delete from orders'),
  say.bindTo('', ''),
  say.execute(''),
  say.parse('', 'select 3'),
  say.bindTo('', ''),
  say.execute(''),
  say.sync,
  say.query('copy (select id, email from customers order by id limit 2) to stdout'),
  say.query('copy inbox from stdin'),
  say.copyData('1\tone\n'),
  say.copyData('2\ttwo\n'),
  say.copyDone,
  // COPY in the extended protocol, with the Sync that libpq sends before the data.
  say.parse('', 'copy inbox from stdin'),
  say.bindTo('', ''),
  say.execute(''),
  say.sync,
  say.copyData('3\tthree\n'),
  say.copyDone,
  say.sync,
  // Named, without Describe, with a row limit.
  say.parse('s', 'select ssn from customers order by id'),
  say.bindTo('p', 's'),
  say.executeRows('p', 2),
  say.executeRows('p', 1),
  say.close('P', 'p'),
  say.sync,
  say.bindTo('', 'missing'),
  say.execute(''),
  say.sync,
  say.query(''),
  say.query('selec 1'),
  say.query('begin; select 1/0; select 2'),
  say.query('select 3'),
  say.query('rollback'),
  say.query('select count(*) from inbox; truncate inbox'),
]

const expected = [
  ...['N SPM01', 'T', 'D 1|***0001', 'C SELECT 1', 'T', 'D 2', 'C SELECT 1', 'Z I'],
  ...['1', '2', 'T', 'N SPM01', 'D ***0007|NULL|7', 'C SELECT 1', 'Z I'],
  ...['E SPB01', 'Z I'],
  ...['N SPM01', 'H', 'd 1\t***.com', 'd 2\t***.com', 'c', 'C COPY 2', 'Z I'],
  ...['G', 'C COPY 2', 'Z I'],
  ...['1', '2', 'G', 'C COPY 1', 'Z I'],
  ...['1', '2', 'N SPM01', 'D ***0001', 'D ***0002', 's', 'N SPM01', 'D ***0003', 's', '3', 'Z I'],
  ...['E 26000', 'Z I'],
  ...['I', 'Z I'],
  ...['E 42601', 'Z I'],
  ...['C BEGIN', 'E 22012', 'Z E'],
  ...['E 25P02', 'Z E'],
  ...['C ROLLBACK', 'Z I'],
  ...['T', 'D 3', 'C SELECT 1', 'C TRUNCATE TABLE', 'Z I'],
]

describe('a pipeline of everything', () => {
  for (const size of [Number.POSITIVE_INFINITY, 1, 2, 3, 4, 5, 7, 11, 64]) {
    it(`is answered in order when both sides arrive in pieces of ${size}`, async () => {
      const whole = size === Number.POSITIVE_INFINITY
      const door = await openDoor(postgres.target, {
        wrap: (client) => (whole ? client : inPieces(client, size)),
        dial: async () => {
          const target = await dialTarget(postgres.target)
          return whole ? target : inPieces(target, size)
        },
      })
      door.people.rule = block('sql:delete')
      try {
        expect(summary(await talk(door.port, script))).toEqual(expected)
      } finally {
        await door.close()
      }
    })
  }
})

describe('COPY that is talked over', () => {
  it('hides no statement: what the target loses to COPY is not believed to be read', async () => {
    const door = await openDoor(postgres.target)
    door.people.rule = hold('sql:update')
    door.people.onHold = () => door.people.holds.at(-1)?.settle({ kind: 'denied', by: 'grace', reason: 'No.' })
    try {
      const heard = await talk(door.port, [
        say.parse('s', "update orders set note = 'not approved' where id = 1"),
        say.sync,
        say.query('copy inbox from stdin'),
        // The target is reading COPY data: to it, this never was.
        say.parse('s', 'select 1'),
        say.bindTo('', 's'),
        say.execute(''),
        say.sync,
        say.query('select 5'),
      ])
      const { rows } = await postgres.direct("select count(*)::int as n from orders where note = 'not approved'")
      expect(rows).toEqual([{ n: 0 }])
      // The notice that it is held comes when it can.
      expect(summary(heard).filter((one) => one !== 'N SPH01')).toEqual([
        ...['1', 'Z I', 'G', 'E 57014', 'Z I'],
        ...['2', 'E SPD01', 'Z I', 'T', 'D 5', 'C SELECT 1', 'Z I'],
      ])
    } finally {
      await door.close()
    }
  })

  it('loses nothing that comes behind the data, or in place of a COPY that failed', async () => {
    const door = await openDoor(postgres.target)
    try {
      const heard = await talk(door.port, [
        say.query('copy inbox from stdin; copy inbox from stdin'),
        say.copyData('1\tone\n'),
        say.copyDone,
        say.sync,
        say.copyData('2\ttwo\n'),
        say.copyDone,
        say.query('select 6'),
        say.query('begin; select 1/0'),
        say.query('copy inbox from stdin'),
        say.query('rollback'),
        say.query('copy inbox from stdin'),
        say.copyFail('no'),
        say.parse('', 'select 7'),
        say.bindTo('', ''),
        say.execute(''),
        say.sync,
      ])
      expect(summary(heard)).toEqual([
        ...['G', 'C COPY 1', 'G', 'C COPY 1', 'Z I', 'T', 'D 6', 'C SELECT 1', 'Z I'],
        ...[
          'C BEGIN',
          'E 22012',
          'Z E',
          'E 25P02',
          'Z E',
          'C ROLLBACK',
          'Z I',
          'G',
          'E 57014',
          'Z I',
          '1',
          '2',
          'D 7',
          'C SELECT 1',
          'Z I',
        ],
      ])
    } finally {
      await door.close()
    }
  })
})
