import { existsSync } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from '../support/run.ts'
import type { Result, Score } from './score.ts'
import { type Server, sharedFolder } from './server.ts'
import type { Sources } from './sources.ts'
import { withGateway } from './through.ts'

const database = 'pipelines'

/** libpq's own tests of pipelining. Those whose messages upstream compares have to trace the same on both ways. */
export function pipeline(sources: Sources): Promise<Score> {
  return withGateway({}, [database], async (server, through) => {
    const folder = await sharedFolder('traces')
    const names = (await run(sources.pipeline, ['tests'])).stdout.split(/\s+/).filter((name) => name !== '')
    const results: Result[] = []
    for (const name of names) {
      await renew(server)
      const at = { host: '127.0.0.1', port: server.port, user: server.user, password: server.password }
      const direct = await once(sources.pipeline, name, at, join(folder, 'direct'))
      await renew(server)
      const token = await through.token(database)
      const other = await once(sources.pipeline, name, { ...token, password: token.token }, join(folder, 'through'))
      const same = direct.trace === other.trace || !existsSync(join(sources.traces, `${name}.trace`))
      results.push({
        name,
        direct: direct.ok ? 'ok' : 'failed',
        through: other.ok ? 'ok' : 'failed',
        same,
        ...(same && other.ok ? {} : { difference: `${direct.trace}\n--- through\n${other.trace}\n${other.words}` }),
      })
    }
    await rm(folder, { recursive: true, force: true })
    return { suite: 'libpq_pipeline', version: sources.version, results }
  })
}

/** What a test leaves behind changes what the next one is told. */
async function renew(server: Server): Promise<void> {
  await server.sql(
    'postgres',
    `drop database if exists ${database} with (force)`,
    `create database ${database} template template0`,
  )
}

async function once(
  program: string,
  name: string,
  at: { host: string; port: number; user: string; password: string },
  file: string,
): Promise<{ ok: boolean; trace: string; words: string }> {
  const place = `host=${at.host} port=${at.port} user=${at.user} password=${at.password} dbname=${database} sslmode=disable`
  await rm(file, { force: true })
  const ran = await run(program, ['-r', '700', '-t', file, name, place])
  const trace = await readFile(file, 'utf8').catch(() => '')
  return { ok: ran.code === 0, trace, words: ran.stdout + ran.stderr }
}
