import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { compare, makeOutput, type Outcome, renewDatabase, runRegress } from './pg-regress.ts'
import type { Score } from './score.ts'
import type { Sources } from './sources.ts'
import { withGateway } from './through.ts'

const database = 'regression'

/** PostgreSQL's own regression suite, on a new server each time: directly, then through the gateway. */
export async function regress(sources: Sources, folder: string, only: readonly string[]): Promise<Score> {
  const direct = await once(sources, join(folder, 'direct'), false, only)
  const through = await once(sources, join(folder, 'through'), true, only)
  return { suite: 'pg_regress', version: sources.version, results: await compare(direct, through) }
}

async function once(sources: Sources, folder: string, gateway: boolean, only: readonly string[]): Promise<Outcome> {
  const input = join(folder, 'input')
  const output = join(folder, 'output')
  // The suite writes beside its output, and the server reads its data: both as the server's account.
  await makeOutput(output, 'testtablespace', 'results')
  await cp(sources.regress, input, { recursive: true })
  // Either way the gateway runs, so that both have the same machine.
  return withGateway({ max_prepared_transactions: '2' }, [database], async (server, through) => {
    await renewDatabase(server, database)
    const tests =
      only.length > 0 ? ['test_setup', ...only] : [`--schedule=${join(sources.regress, 'parallel_schedule')}`]
    const { libraries } = sources
    return runRegress({ runner: 'sql', input, output, database, libraries, tests }, { server, through, gateway })
  })
}
