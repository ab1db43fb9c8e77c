import { existsSync } from 'node:fs'
import { readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { libpqEnv } from '../support/pg.ts'
import { type Ran, run } from '../support/run.ts'
import { installed } from './packages.ts'
import type { Result, Score } from './score.ts'
import { withGateway } from './through.ts'

/** Its tests are in its repository alone. A clone that is there already can stand in for it. */
const repository = process.env.SALLYPORT_NODE_POSTGRES ?? 'https://github.com/brianc/node-postgres.git'
/** What the tests use beside node-postgres, as its package.json has it. */
const packages = { pg: '8.23.1', async: '2.6.4', bluebird: '3.7.2', co: '4.6.0', 'pg-copy-streams': '0.3.0' }
const database = 'node_postgres'

/** The integration tests of node-postgres: each file is a program, run on a new database, directly and through the gateway. */
export async function nodePostgres(cache: string, only: readonly string[]): Promise<Score> {
  const { folder, version } = await suite(cache)
  const tests = join(folder, 'test', 'integration')
  const files = (await readdir(tests, { recursive: true })).filter((name) => name.endsWith('-tests.js')).sort()
  return withGateway({}, [database], async (server, through) => {
    const results: Result[] = []
    for (const name of files) {
      if (only.length > 0 && !only.some((part) => name.includes(part))) continue
      const renew = () =>
        server.sql(
          'postgres',
          `drop database if exists ${database} with (force)`,
          `create database ${database} template template0`,
        )
      const at = async (place: { host: string; port: number; user: string; password: string }) => {
        await renew()
        return run(process.execPath, ['--no-deprecation', join(tests, name)], {
          cwd: folder,
          timeoutMs: 120_000,
          env: { ...libpqEnv({ ...place, database }), TEST_TIMEOUT: '30000', NODE_ENV: 'test' },
        })
      }
      const direct = await at({ ...server, host: '127.0.0.1' })
      const token = await through.token(database)
      const other = await at({ ...token, password: token.token })
      const same = said(direct) === said(other)
      results.push({
        name,
        direct: direct.code === 0 ? 'ok' : 'failed',
        through: other.code === 0 ? 'ok' : 'failed',
        same,
        ...(same && direct.code === other.code ? {} : { difference: `${said(direct)}\n--- through\n${said(other)}` }),
      })
    }
    return { suite: 'node-postgres', version, results }
  })
}

/** Times and numbers of processes and ports are each run's own. */
function said({ stdout, stderr, code }: Ran): string {
  const text = stripVTControlCharacters(`${stdout}\n${stderr}`).replaceAll(/\d+/g, '0')
  return `${text}\nended with ${code}`
}

/** packages/pg of the repository, with what it needs above it. */
async function suite(cache: string): Promise<{ folder: string; version: string }> {
  const place = await installed(cache, 'node-postgres', packages)
  const folder = join(place, 'pg')
  if (!existsSync(folder)) {
    const clone = join(place, 'clone')
    await rm(clone, { recursive: true, force: true })
    const ran = await run('git', ['clone', '--quiet', '--depth', '1', repository, clone], { timeoutMs: 600_000 })
    if (ran.code !== 0) {
      throw new Error(
        `node-postgres can't be cloned: ${ran.stderr.trim()}. SALLYPORT_NODE_POSTGRES may name another clone of it.`,
      )
    }
    await rename(join(clone, 'packages', 'pg'), folder)
    await rm(clone, { recursive: true, force: true })
  }
  const { version } = await import(join(folder, 'package.json'), { with: { type: 'json' } }).then(
    (loaded: { default: { version: string } }) => loaded.default,
  )
  return { folder, version }
}
