import { chmod, chown, cp, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { libpqEnv } from '../support/pg.ts'
import { run } from '../support/run.ts'
import type { Result, Score } from './score.ts'
import { postgresAccount } from './server.ts'
import type { Sources } from './sources.ts'
import { withGateway } from './through.ts'

const pgRegress = '/usr/lib/postgresql/15/lib/pgxs/src/test/regress/pg_regress'
const database = 'regression'

interface Outcome {
  passed: ReadonlyMap<string, boolean>
  /** Where each test's output and the diffs against what is expected lie. */
  folder: string
}

/** PostgreSQL's own regression suite, on a new server each time: directly, then through the gateway. */
export async function regress(sources: Sources, folder: string, only: readonly string[]): Promise<Score> {
  const direct = await once(sources, join(folder, 'direct'), false, only)
  const through = await once(sources, join(folder, 'through'), true, only)
  const results: Result[] = []
  for (const [name, ok] of direct.passed) {
    const output = (side: Outcome) => readFile(join(side.folder, 'results', `${name}.out`)).catch(() => Buffer.alloc(0))
    const [one, other] = await Promise.all([output(direct), output(through)])
    const same = one.equals(other)
    results.push({
      name,
      direct: ok ? 'ok' : 'failed',
      through: through.passed.get(name) === true ? 'ok' : 'failed',
      // Some outputs name a process or a time; such a test has its own rules for what is right.
      same: same || (ok && through.passed.get(name) === true),
      ...(same ? {} : { difference: await diff(direct.folder, through.folder, name) }),
    })
  }
  return { suite: 'pg_regress', version: sources.version, results }
}

async function once(sources: Sources, folder: string, gateway: boolean, only: readonly string[]): Promise<Outcome> {
  const account = await postgresAccount()
  const input = join(folder, 'input')
  // The suite writes beside its output, and the server reads its data: both as the server's account.
  await mkdir(join(folder, 'output'), { recursive: true })
  await cp(sources.regress, input, { recursive: true })
  for (const name of ['output', 'output/testtablespace', 'output/results']) {
    const place = join(folder, name)
    await mkdir(place, { recursive: true })
    await chmod(place, 0o755)
    if (account !== undefined) await chown(place, account.uid, account.gid)
  }
  // Either way the gateway runs, so that both have the same machine.
  return withGateway({ max_prepared_transactions: '2' }, [database], async (server, through) => {
    await server.sql('postgres', `create database ${database} template template0`)
    const settings = [
      "lc_messages to 'C'",
      "lc_monetary to 'C'",
      "lc_numeric to 'C'",
      "lc_time to 'C'",
      "bytea_output to 'hex'",
      "timezone_abbreviations to 'Default'",
    ]
    await server.sql(database, ...settings.map((setting) => `alter database ${database} set ${setting}`))
    const passwords = join(folder, 'passwords')
    // A token lasts ten minutes, and the suite may last longer: every psql reads the file anew.
    const enter = async () => {
      const direct = { ...server, host: '127.0.0.1', token: server.password }
      const { host, port, user, token } = gateway ? await through.token(database) : direct
      await writeFile(passwords, `${host}:${port}:${database}:${user}:${token}\n`, { mode: 0o600 })
      if (account !== undefined) await chown(passwords, account.uid, account.gid)
      return { host, port, user }
    }
    const { host, port, user } = await enter()
    const renewing = setInterval(() => void enter(), 240_000)
    const env = { ...libpqEnv({ host, port, user, database }), PGPASSFILE: passwords }
    const schedule =
      only.length > 0 ? ['test_setup', ...only] : [`--schedule=${join(sources.regress, 'parallel_schedule')}`]
    const ran = await run(
      pgRegress,
      [
        `--inputdir=${input}`,
        `--outputdir=${join(folder, 'output')}`,
        `--dlpath=${sources.libraries}`,
        '--bindir=/usr/lib/postgresql/15/bin',
        `--host=${host}`,
        `--port=${port}`,
        `--user=${user}`,
        `--dbname=${database}`,
        '--use-existing',
        '--max-concurrent-tests=20',
        ...schedule,
      ],
      { env, cwd: join(folder, 'output'), timeoutMs: 1_800_000, ...account },
    ).finally(() => clearInterval(renewing))
    const passed = readOutcome(ran.stdout)
    if (passed.size === 0) throw new Error(`pg_regress: ${ran.stdout}${ran.stderr}`)
    return { passed, folder: join(folder, 'output') }
  })
}

/** `test name ... ok 12 ms`, `     name ... FAILED 12 ms`. */
export function readOutcome(output: string): Map<string, boolean> {
  const passed = new Map<string, boolean>()
  for (const line of output.split('\n')) {
    const match = /^(?:test)?\s+(\w+)\s+\.\.\. (ok|FAILED|failed \(ignored\))/.exec(line)
    if (match?.[1] !== undefined) passed.set(match[1], match[2] === 'ok')
  }
  return passed
}

async function diff(one: string, other: string, name: string): Promise<string> {
  const file = join('results', `${name}.out`)
  return (await run('diff', ['-u', join(one, file), join(other, file)])).stdout
}
