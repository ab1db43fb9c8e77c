import { existsSync } from 'node:fs'
import { cp, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { compare, makeOutput, renewDatabase, type runners, runRegress } from './pg-regress.ts'
import type { Result, Score } from './score.ts'
import type { Sources } from './sources.ts'
import { withGateway } from './through.ts'

/** The tests of one folder of PostgreSQL's source, as its Makefile lists them. */
interface Part {
  /** Its folder, in the source. */
  name: string
  database: string
  runner: keyof typeof runners
  tests: readonly string[]
  extensions: readonly string[]
  roles: readonly string[]
  /** The server's settings that they need. */
  settings: Readonly<Record<string, string>>
}

/** Everything that comes with PostgreSQL as an extension or a language, and modules that need nothing built. */
const folders: readonly string[] = [
  ...[
    'adminpack amcheck auto_explain bloom bool_plperl btree_gin btree_gist citext cube dblink dict_int dict_xsyn',
    'earthdistance file_fdw fuzzystrmatch hstore hstore_plperl hstore_plpython intarray isn jsonb_plperl',
    'jsonb_plpython lo ltree ltree_plpython pageinspect passwordcheck pg_freespacemap pg_stat_statements',
    'pg_surgery pg_trgm pg_visibility pg_walinspect pgcrypto pgstattuple postgres_fdw seg tablefunc',
    'test_decoding tsm_system_rows tsm_system_time unaccent uuid-ossp xml2',
  ]
    .flatMap((line) => line.split(' '))
    .map((name) => join('contrib', name)),
  ...['plpgsql/src', 'plperl', 'plpython', 'tcl'].map((name) => join('src', 'pl', name)),
  ...['brin', 'commit_ts', 'snapshot_too_old', 'unsafe_tests'].map((name) => join('src', 'test', 'modules', name)),
]

/** What a server for tests has beside its defaults. */
const allowed = { max_prepared_transactions: '10' }
/** Where tests go with \\c. */
const others = ['template1']

/** Tests of what comes with PostgreSQL beside the server: each folder on a new database, directly, then through the gateway. */
export async function contrib(sources: Sources, folder: string, only: readonly string[]): Promise<Score> {
  const parts = (await Promise.all(folders.map((name) => readParts(sources.source, name)))).flat()
  const wanted = parts.filter(({ name }) => only.length === 0 || only.some((part) => name.split('/').includes(part)))
  const results: Result[] = []
  for (const sharing of bySettings(wanted)) {
    const settings = sharing[0]?.settings ?? {}
    const databases = [...new Set(sharing.map(({ database }) => database))]
    await withGateway(settings, [...databases, ...others], async (server, through) => {
      for (const part of sharing) {
        const once = async (gateway: boolean) => {
          const output = join(folder, part.name, part.runner, gateway ? 'through' : 'direct')
          await makeOutput(output)
          // What the server reads itself has to lie where its account may write.
          const input = join(output, 'input')
          await cp(join(sources.source, part.name), input, { recursive: true })
          await renewDatabase(server, part.database, part)
          return runRegress(
            { ...part, input, output, others, libraries: sources.libraries },
            { server, through, gateway },
          )
        }
        const direct = await once(false)
        results.push(...(await compare(direct, await once(true), `${part.name}: `)))
      }
    })
  }
  return { suite: 'contrib', version: sources.version, results }
}

/** Parts that may share a server. */
function bySettings(parts: readonly Part[]): Part[][] {
  return [...Map.groupBy(parts, ({ settings }) => JSON.stringify(settings)).values()]
}

async function readParts(source: string, name: string): Promise<Part[]> {
  const makefile = ['GNUmakefile', 'Makefile'].map((file) => join(source, name, file)).find(existsSync)
  if (makefile === undefined) throw new Error(`the source has no ${name}`)
  const text = await readFile(makefile, 'utf8')
  const parts = await Promise.all([
    readPart(source, name, text, 'sql', 'REGRESS'),
    readPart(source, name, text, 'isolation', 'ISOLATION'),
  ])
  return parts.flatMap((part) => part ?? [])
}

async function readPart(
  source: string,
  name: string,
  makefile: string,
  runner: keyof typeof runners,
  variable: string,
): Promise<Part | undefined> {
  const tests = words(makefile, variable)
  if (tests.length === 0) return undefined
  const options = words(makefile, `${variable}_OPTS`)
  const config = options.find((word) => word.endsWith('.conf'))
  const file = config?.replace(/^.*\$\(top_srcdir\)/, source)
  return {
    name,
    database: name.startsWith('src/pl') ? 'pl_regression' : `${runner === 'sql' ? 'contrib' : 'isolation'}_regression`,
    runner,
    tests,
    extensions: options.flatMap((word) => /^--load-extension=(\w+)$/.exec(word)?.[1] ?? []),
    roles: options.flatMap((word) => /^--create-role=(\w+)$/.exec(word)?.[1] ?? []),
    settings: { ...allowed, ...(file === undefined ? {} : readSettings(await readFile(file, 'utf8'))) },
  }
}

/** What a Makefile gives to a variable, over continued lines and all its assignments. */
export function words(makefile: string, variable: string): string[] {
  const assigned = makefile.replaceAll('\\\n', ' ').matchAll(new RegExp(`^\\s*${variable}\\s*\\+?=(.*)$`, 'gm'))
  return [...assigned].flatMap(([, value = '']) => value.split(/\s+/).filter((word) => word !== ''))
}

/** `name = value` a line, as in postgresql.conf. */
function readSettings(text: string): Record<string, string> {
  const settings: Record<string, string> = {}
  for (const line of text.split('\n')) {
    const match = /^(\w+)\s*=\s*'?([^']*)'?$/.exec(line.trim())
    if (match?.[1] !== undefined && match[2] !== undefined) settings[match[1]] = match[2]
  }
  return settings
}
