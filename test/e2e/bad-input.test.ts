import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { sessionToken } from '../support/access.ts'
import { machineEnv, sallyport } from '../support/cli.ts'
import { tokenEnv } from '../support/pg.ts'
import { type Ran, run, which } from '../support/run.ts'

/** What bad input gets: a clear error that says what to do, and nothing lost. */
const demo = inject('demo')
const main = join(import.meta.dirname, '..', '..', 'cli', 'main.ts')
const needs = (program: string) => test.skipIf(which(program) === undefined)

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-bad-'))
  // As root, PostgreSQL runs as an account of its own, which must be able to pass through.
  await chmod(folder, 0o711)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const start = (file: string): Promise<Ran> => run(process.execPath, [main, 'gateway', '--config', file])

/** A port that somebody else has, for as long as `use` runs. */
async function taken(use: (port: number) => Promise<void>): Promise<void> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('not a port')
  try {
    await use(address.port)
  } finally {
    server.close()
  }
}

async function config(name: string, changes: { listen?: number; policy?: string; extra?: string }): Promise<string> {
  const place = join(folder, name)
  await mkdir(join(place, 'policy'), { recursive: true })
  await writeFile(
    join(place, 'policy', 'access.cedar'),
    changes.policy ?? '@id("all")\npermit (principal, action, resource);\n',
  )
  await writeFile(join(place, 'policy', 'classification.yaml'), 'classes: {}\n')
  const file = join(place, 'gateway.yaml')
  await writeFile(
    file,
    `name: Harborline
listen: { host: 127.0.0.1, port: ${changes.listen ?? 0} }
dataDir: data
policyDir: policy
upstream:
  issuer: ${demo.gateway}
  clientId: sallyport
  clientSecret: not a secret of anybody
connections: []
${changes.extra ?? ''}`,
  )
  return file
}

describe('a server refuses to start', () => {
  test('with a configuration that is wrong: file, line and reason', async () => {
    const file = await config('unknown', { extra: 'recordngs: here\n' })
    const ran = await start(file)
    expect(ran.code).toBe(1)
    expect(ran.stderr).toContain(`${file}:10: recordngs: there is no such setting`)
  })

  test('with a configuration that is not YAML', async () => {
    const file = await config('yaml', { extra: 'machines: [unclosed\n' })
    const ran = await start(file)
    expect(ran.code).toBe(1)
    expect(ran.stderr).toMatch(/gateway\.yaml:1\d: not valid YAML/)
  })

  test('with a policy that is wrong: file, line and reason, and never open', async () => {
    const policy =
      '@id("all")\npermit (principal, action, resource);\n@id("broken") permit (principal action, resource);\n'
    const ran = await start(await config('policy', { policy }))
    expect(ran.code).toBe(1)
    expect(ran.stderr).toMatch(/access\.cedar:3/)
    expect(ran.stderr).not.toContain('is ready')
  })

  test('on a port in use, and says which', () =>
    taken(async (port) => {
      const ran = await start(await config('port', { listen: port }))
      expect(ran.code).toBe(1)
      expect(ran.stderr).toContain(`Port ${port} on 127.0.0.1 is in use`)
    }))
})

describe('the command line says what to do', () => {
  test('where no gateway answers', () =>
    taken(async (port) => {
      // Whoever has a port on one address keeps it from those who would take it on all.
      const env = { ...(await machineEnv(demo, 'engineer')), SALLYPORT_GATEWAY: `http://127.0.0.2:${port}` }
      const ran = await run(process.execPath, [main, 'ls'], { env })
      expect(ran.code).toBe(1)
      expect(ran.stderr).toMatch(/can.t be reached|unreachable|did not answer/i)
      expect(ran.stderr).toContain(`127.0.0.2:${port}`)
    }))

  test('where the local port is in use', () =>
    taken(async (port) => {
      const ran = await sallyport(demo, 'engineer', ['connect', 'orders-db', '--port', String(port)])
      expect(ran.code).toBe(1)
      expect(ran.stderr).toContain(`${port}`)
      expect(ran.stderr).toMatch(/in use/)
    }))

  test('for a connection that does not exist', async () => {
    const ran = await sallyport(demo, 'engineer', ['connect', 'no-such-db'])
    expect(ran.code).toBe(1)
    expect(ran.stderr).toContain('no-such-db')
    expect(ran.stderr).toContain('sallyport ls')
  })

  test('for a sign-in that is not believed', async () => {
    const env = { ...(await machineEnv(demo, 'engineer')), SALLYPORT_CLIENT_SECRET: 'a secret that was changed' }
    const ran = await run(process.execPath, [main, 'ls'], { env })
    expect(ran.code).toBe(3)
    expect(ran.stderr).toMatch(/SALLYPORT_CLIENT_SECRET/)
  })
})

describe('a target', () => {
  needs('psql')('that hangs up in the middle of a result: what came is shown, and why no more comes', async () => {
    const token = await sessionToken(demo, 'engineer', 'orders-db')
    const endless = 'SELECT o.id, o.status FROM orders o, generate_series(1, 100000)'
    const child = spawn('psql', ['-XAt', '-c', `COPY (${endless}) TO STDOUT`], {
      env: { ...process.env, ...tokenEnv(token) },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const said = createInterface({ input: child.stderr })
    const lines: string[] = []
    said.on('line', (line) => lines.push(line))
    const rows = createInterface({ input: child.stdout })
    let count = 0
    const some = new Promise<void>((resolve) => {
      rows.on('line', () => {
        if (++count === 1000) resolve()
      })
    })
    const ended = once(child, 'close')
    await some
    const owner = new pg.Client({ connectionString: demo.targets?.['orders-db'] })
    await owner.connect()
    await owner.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE $1', [
      `COPY (${endless}%`,
    ])
    await owner.end()
    const [code] = await ended
    expect(code).not.toBe(0)
    // PostgreSQL itself says nothing where its last rows still waited for the client to read.
    expect(lines.join('\n')).toMatch(
      /terminating connection due to administrator command|The target closed the connection/,
    )
    // The session's own end is told too, and the next one opens as if nothing had been.
    const next = await run('psql', ['-XAt', '-c', 'SELECT 1'], { env: tokenEnv(token) })
    expect(next.stdout.trim()).toBe('1')
  })
})

describe('text that is not UTF-8', () => {
  needs('psql')('is refused by name, and the session goes on', async () => {
    const env = { ...tokenEnv(await sessionToken(demo, 'engineer', 'orders-db')), PGCLIENTENCODING: 'UTF8' }
    const input = Buffer.concat([
      Buffer.from("\\set VERBOSITY verbose\nSELECT 'caf"),
      Buffer.from([0xe9]),
      Buffer.from("' AS broken;\nSELECT 'after' AS fine;\n"),
    ])
    const file = join(folder, 'latin1.sql')
    await writeFile(file, input)
    const ran = await run('psql', ['-XAt', '-f', file], { env })
    expect(ran.stderr).toContain('22021')
    expect(ran.stdout).toContain('after')
  })

  needs('psql')('is right where the client says what it is', async () => {
    const env = tokenEnv(await sessionToken(demo, 'engineer', 'orders-db'))
    const ran = await run('psql', ['-XAt', '-c', "SELECT 'café'"], { env: { ...env, PGCLIENTENCODING: 'UTF8' } })
    expect(ran.stdout.trim()).toBe('café')
  })
})

test('a result larger than the memory of who reads it goes through', async () => {
  const child = spawn(process.execPath, ['--max-old-space-size=96', main, 'exec', 'orders-db'], {
    env: { ...process.env, ...(await machineEnv(demo, 'engineer')) },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  child.stdin.end("SELECT g, repeat('x', 1000) FROM generate_series(1, 150000) g")
  let bytes = 0
  child.stdout.on('data', (chunk: Buffer) => {
    bytes += chunk.length
  })
  const said: Buffer[] = []
  child.stderr.on('data', (chunk: Buffer) => said.push(chunk))
  const [code] = await once(child, 'close')
  expect(Buffer.concat(said).toString()).toBe('SELECT 150000\n')
  expect(code).toBe(0)
  expect(bytes).toBeGreaterThan(150_000_000)
})
