import { join } from 'node:path'
import { compare, makeOutput, type Outcome, renewDatabase, runRegress } from './pg-regress.ts'
import type { Score } from './score.ts'
import type { Sources } from './sources.ts'
import { withGateway } from './through.ts'

const database = 'isolation_regression'

/** PostgreSQL's isolation tests: several sessions a test, whose waits for each other are found by their processes. */
export async function isolation(sources: Sources, folder: string, only: readonly string[]): Promise<Score> {
  const direct = await once(sources, join(folder, 'direct'), false, only)
  const through = await once(sources, join(folder, 'through'), true, only)
  return { suite: 'pg_isolation_regress', version: sources.version, results: await compare(direct, through) }
}

async function once(sources: Sources, output: string, gateway: boolean, only: readonly string[]): Promise<Outcome> {
  await makeOutput(output)
  const input = join(sources.tests, 'isolation')
  return withGateway({ max_prepared_transactions: '4' }, [database], async (server, through) => {
    await renewDatabase(server, database)
    const tests = only.length > 0 ? only : [`--schedule=${join(input, 'isolation_schedule')}`]
    const { libraries } = sources
    return runRegress({ runner: 'isolation', input, output, database, libraries, tests }, { server, through, gateway })
  })
}
