import { chmod, chown, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { libpqEnv } from '../support/pg.ts'
import { run } from '../support/run.ts'
import type { Result } from './score.ts'
import { postgresAccount, type Server } from './server.ts'
import type { Through } from './through.ts'

/** PostgreSQL's runners of tests, as Debian's postgresql-15 brings them: of psql scripts, and of sessions that wait for each other. */
export const runners = {
  sql: '/usr/lib/postgresql/15/lib/pgxs/src/test/regress/pg_regress',
  isolation: '/usr/lib/postgresql/15/lib/pgxs/src/test/isolation/pg_isolation_regress',
} as const

export interface Outcome {
  passed: ReadonlyMap<string, boolean>
  /** Where each test's output and the diffs against what is expected lie. */
  folder: string
}

export interface RegressRun {
  runner: keyof typeof runners
  /** Where the tests and what is expected of them lie. */
  input: string
  output: string
  database: string
  /** Databases that its tests go to as well. */
  others?: readonly string[]
  /** A folder with regress.so. */
  libraries: string
  /** Names of tests, or `--schedule=`. */
  tests: readonly string[]
}

/** Which way a run goes, and the server behind both. */
export interface Way {
  server: Server
  through: Through
  gateway: boolean
}

/** The settings that the runner gives to a database that it makes itself. */
const settings = [
  "lc_messages to 'C'",
  "lc_monetary to 'C'",
  "lc_numeric to 'C'",
  "lc_time to 'C'",
  "bytea_output to 'hex'",
  "timezone_abbreviations to 'Default'",
]

/** A new database for a run with what it expects to be there, made past the gateway. */
export async function renewDatabase(
  server: Server,
  database: string,
  { extensions, roles }: { extensions: readonly string[]; roles: readonly string[] } = { extensions: [], roles: [] },
): Promise<void> {
  await server.sql(
    'postgres',
    `drop database if exists ${database} with (force)`,
    `create database ${database} template template0`,
    ...settings.map((setting) => `alter database ${database} set ${setting}`),
    ...roles.flatMap((role) => [`drop role if exists ${role}`, `create role ${role} login`]),
  )
  await server.sql(database, ...extensions.map((name) => `create extension ${name}`))
}

/** Folders below a new one, that the server's account may write. */
export async function makeOutput(folder: string, ...below: readonly string[]): Promise<void> {
  const account = await postgresAccount()
  for (const name of ['', ...below]) {
    const place = join(folder, name)
    await mkdir(place, { recursive: true })
    await chmod(place, 0o755)
    if (account !== undefined) await chown(place, account.uid, account.gid)
  }
}

/** Runs tests as the server's account, on a database that is there. Rejects where no test ran. */
export async function runRegress(
  { runner, input, output, database, others = [], libraries, tests }: RegressRun,
  { server, through, gateway }: Way,
): Promise<Outcome> {
  const account = await postgresAccount()
  const passwords = join(output, 'passwords')
  // A token lasts ten minutes, and a suite may last longer: every client reads the file anew.
  const enter = async () => {
    const direct = { ...server, host: '127.0.0.1', token: server.password }
    const { host, port, user, token } = gateway ? await through.token(database) : direct
    const lines = [`${host}:${port}:${database}:${user}:${token}`]
    for (const other of others) {
      const word = gateway ? (await through.token(other)).token : server.password
      lines.push(`${host}:${port}:${other}:${user}:${word}`)
    }
    await writeFile(passwords, `${lines.join('\n')}\n`, { mode: 0o600 })
    if (account !== undefined) await chown(passwords, account.uid, account.gid)
    return { host, port, user }
  }
  const { host, port, user } = await enter()
  const renewing = setInterval(() => void enter(), 240_000)
  const env = { ...libpqEnv({ host, port, user, database }), PGPASSFILE: passwords }
  const ran = await run(
    runners[runner],
    [
      `--inputdir=${input}`,
      `--outputdir=${output}`,
      `--dlpath=${libraries}`,
      '--bindir=/usr/lib/postgresql/15/bin',
      `--host=${host}`,
      `--port=${port}`,
      `--user=${user}`,
      `--dbname=${database}`,
      '--use-existing',
      '--max-concurrent-tests=20',
      ...tests,
    ],
    // Some tests \copy from files beside them.
    { env, cwd: input, timeoutMs: 3_600_000, ...account },
  ).finally(() => clearInterval(renewing))
  const passed = readOutcome(ran.stdout)
  if (passed.size === 0) throw new Error(`${runner} tests of ${input}: ${ran.stdout}${ran.stderr}`)
  return { passed, folder: output }
}

/** `test name ... ok 12 ms`, `     name ... FAILED 12 ms`. */
export function readOutcome(output: string): Map<string, boolean> {
  const passed = new Map<string, boolean>()
  for (const line of output.split('\n')) {
    const match = /^(?:test)?\s+([\w-]+)\s+\.\.\. (ok|FAILED|failed \(ignored\))/.exec(line)
    if (match?.[1] !== undefined) passed.set(match[1], match[2] === 'ok')
  }
  return passed
}

/** Test by test. A name that two parts of a suite share gets `prefix`. */
export async function compare(direct: Outcome, through: Outcome, prefix = ''): Promise<Result[]> {
  const results: Result[] = []
  for (const [name, ok] of direct.passed) {
    const output = (side: Outcome) => readFile(join(side.folder, 'results', `${name}.out`)).catch(() => Buffer.alloc(0))
    const [one, other] = await Promise.all([output(direct), output(through)])
    const same = one.equals(other)
    results.push({
      name: prefix + name,
      direct: ok ? 'ok' : 'failed',
      through: through.passed.get(name) === true ? 'ok' : 'failed',
      // Some outputs name a process or a time; such a test has its own rules for what is right.
      same: same || (ok && through.passed.get(name) === true),
      ...(same ? {} : { difference: await diff(direct.folder, through.folder, name) }),
    })
  }
  return results
}

async function diff(one: string, other: string, name: string): Promise<string> {
  const file = join('results', `${name}.out`)
  return (await run('diff', ['-u', join(one, file), join(other, file)])).stdout
}
