import { describe, expect, it } from 'vitest'
import { cstring, frontend, int16, int32, message, messages } from '../../agent/inspect/postgres/messages.ts'
import { bind, execute } from '../support/raw-postgres.ts'
import { stand } from './enter.ts'

/** Types under whose collation texts are equal that differ: with one of one's own, a look-up would find out about any part of a value. */
const at = stand({
  prepare: `set role app;
    create collation lenient (provider = icu, locale = 'und-u-ks-level1-ka-shifted', deterministic = false);
    create domain loose as text collate lenient;
    create domain exact as text collate "C";
    create table takes (id int, note loose); create table keeps (id int, note text);
    create function taken(loose) returns int language sql immutable as $$ select 1 $$;
    reset role`,
})

const guess = 'C1examplecom'

describe('a parameter under a lenient collation', () => {
  it.each([
    'prepare p(loose) as select id from customers where email = $1',
    'prepare p(loose[]) as select id from customers where email = any ($1)',
    'prepare p as select $1::loose from customers where email = $1',
    'prepare p as with w as (insert into takes (note) values ($1) returning 1) select id from customers where email = $1',
    'prepare p as select id, taken($1) from customers where email = $1',
    'prepare p(loose) as delete from customers where email = $1',
  ])('looks nothing up: %s', async (text) => {
    const prepared = await at.client.query(text)
    expect(prepared.errors).toEqual([expect.objectContaining({ sqlstate: 'SPB01' })])
  })

  it.each([
    ['prepare p(text) as select id from customers where email = $1', 'c1@example.com'],
    ['prepare p(exact) as select id from customers where email = $1', 'c1@example.com'],
    ['prepare p(loose) as select id from orders where note = $1', 'Note 1'],
    [
      'prepare p as with w as (insert into keeps (note) values ($1)) select id from customers where email = $1',
      'c1@example.com',
    ],
  ])('%s', async (text, value) => {
    expect((await at.client.query(text)).errors).toEqual([])
    const { errors, rows } = await at.client.query(`execute p('${value}')`)
    expect(errors).toEqual([])
    expect(rows).toBe(1)
  })

  it.each([
    ['loose', 'SPB01'],
    ['exact', undefined],
  ])('of the type %s that Parse declares', async (type, sqlstate) => {
    const { rows } = await at.postgres.direct(`select '${type}'::regtype::oid::int as oid`)
    const parse = message(
      frontend.parse,
      Buffer.concat([
        cstring(''),
        cstring('select id from customers where email = $1'),
        int16(1),
        int32(Number(rows[0]?.oid)),
      ]),
    )
    const { errors, rows: found } = await at.client.send([
      parse,
      bind('', '', [guess], false),
      execute('', 0),
      messages.sync,
    ])
    expect(errors.map((error) => error.sqlstate)).toEqual(sqlstate === undefined ? [] : [sqlstate])
    expect(found).toBe(0)
  })
})
