import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Settings } from '../shared/rpc/contract.ts'
import {
  type DiagnosticFacts,
  diagnosticBundle,
  failureWords,
  recentLog,
  saveBundle,
  withoutSecrets,
} from './diagnostics.ts'
import { fail } from './problem.ts'

const silent = { info: () => {}, warn: () => {}, error: () => {} }
const jwt = 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJsaW51cyJ9.c2lnbmF0dXJlLW9mLXRoaXMtdG9rZW4'

function facts(change: Partial<DiagnosticFacts> = {}): DiagnosticFacts {
  return {
    platform: { shell: 'browser', os: 'linux', notifications: 'page', version: '1.2.3', gateway: 'https://gw.example' },
    settings: Settings.parse({
      pinned: ['secret-project-db'],
      workspace: { documents: [{ text: "UPDATE customers SET ssn = '078-05-1120'" }] },
    }),
    auth: {
      state: 'waiting',
      url: 'https://idp.example/authorize?state=s3cr3tstate&code_challenge=chal1enge',
      code: 'KJ4-92P',
      expiresAt: '2026-01-01T00:00:00.000Z',
    },
    link: { state: 'up', latencyMs: 9, since: '2026-01-01T00:00:00.000Z' },
    update: { state: 'current' },
    endpoints: [
      {
        connection: 'orders-db',
        kind: 'postgres',
        host: '127.0.0.1',
        port: 15432,
        user: 'linus',
        open: true,
        clients: 1,
        atStart: false,
      },
    ],
    gatewayVersion: '4.5.6',
    startedAt: '2026-11-23T08:00:00.000Z',
    log: [],
    ...change,
  }
}

test('tells versions, states and ports, and why one is not open', () => {
  const taken = { code: 'conflict', message: 'Port 15433 is in use by another program.', action: 'retry' } as const
  const { endpoints } = facts()
  const both = endpoints.flatMap((e) => [e, { ...e, connection: 'other-db', port: 15433, open: false, problem: taken }])
  const { name, text } = diagnosticBundle(facts({ endpoints: both }), new Date('2026-11-23T14:32:00Z'))
  expect(name).toBe('sallyport-diagnostics-2026-11-23T143200.json')
  expect(JSON.parse(text)).toMatchObject({
    client: { version: '1.2.3', shell: 'browser', gateway: 'https://gw.example' },
    gatewayLink: { state: 'up', latencyMs: 9 },
    gatewayVersion: '4.5.6',
    startedAt: '2026-11-23T08:00:00.000Z',
    endpoints: [
      { connection: 'orders-db', port: 15432, open: true },
      { connection: 'other-db', open: false, problem: 'Port 15433 is in use by another program.' },
    ],
  })
})

test('what the page asked for and did not get is told by its name and kind; in words only where they hold no data', () => {
  const quoting = fail('failed', 'invalid input syntax for type integer: "078-05-1120"').problem
  expect(failureWords(['sql', 'run'], quoting)).toBe('sql.run failed (failed)')
  expect(failureWords(['gateway', 'requests', 'create'], quoting)).toBe('gateway.requests.create failed (failed)')
  const taken = fail('conflict', 'Port 15433 is in use by another program.').problem
  expect(failureWords(['endpoints', 'open'], taken)).toBe(
    'endpoints.open failed (conflict): Port 15433 is in use by another program.',
  )
})

test('holds no draft, no pinned name, no address or code of a sign-in, and no person', () => {
  const { text } = diagnosticBundle(facts())
  for (const secret of ['078-05-1120', 'UPDATE', 'secret-project', 's3cr3tstate', 'chal1enge', 'KJ4-92P', 'linus'])
    expect(text).not.toContain(secret)
})

test('the log comes with its errors’ words, without what they should not have held', () => {
  const { log, entries } = recentLog(silent)
  const cause = new Error(`POST https://gw.example/token?code=abc123 failed: authorization: DPoP ${jwt}`)
  log.error({ err: fail('failed', 'The gateway refused.', { cause }), token: jwt }, 'sign-in stopped')
  log.warn({ sql: "SELECT '4111 1111 1111 1111'" }, 'password=hunter2 was refused')
  const { text } = diagnosticBundle(facts({ log: entries() }))
  expect(text).toContain('sign-in stopped')
  expect(text).toContain('The gateway refused')
  for (const secret of [jwt, 'abc123', 'hunter2', '4111']) expect(text).not.toContain(secret)
})

test.each([
  ['connect to postgres://ada:hunter2@db.internal:5432/orders', 'hunter2'],
  ['{"refresh_token":"rt-1234","x":1}', 'rt-1234'],
  ['Authorization: Bearer abc.def', 'abc.def'],
  ['sallyport-ticket: 9f31c0', '9f31c0'],
  ['cookie=sallyport_1=zzz', 'zzz'],
  ['-----BEGIN PRIVATE KEY-----\nMIGH\n-----END PRIVATE KEY-----', 'MIGH'],
  ['http://127.0.0.1:9/open?key=onetime', 'onetime'],
])('withoutSecrets(%j)', (text, secret) => {
  expect(withoutSecrets(text)).not.toContain(secret)
})

test('no token survives, wherever in a line it stands', () => {
  const token = fc.stringMatching(/^[A-Za-z0-9_-]{32,80}$/)
  const words = fc.stringMatching(/^[a-z ]{0,20}$/)
  fc.assert(
    fc.property(words, token, words, (before, secret, after) => {
      expect(withoutSecrets(`${before} ${secret} ${after}`)).not.toContain(secret)
    }),
  )
})

test('ordinary words stay', () => {
  const words = 'Port 15432 is in use by another program. connect ECONNREFUSED 127.0.0.1:15432'
  expect(withoutSecrets(words)).toBe(words)
})

test('the log is bounded', () => {
  const { log, entries } = recentLog(silent)
  for (let i = 0; i < 1_000; i += 1) log.info({}, `line ${i}`)
  expect(entries()).toHaveLength(400)
  expect(entries().at(-1)?.message).toBe('line 999')
})

test('is written for its owner only', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'sallyport-bundle-'))
  const path = await saveBundle({ name: 'b.json', text: '{}' }, dir)
  expect(await readFile(path, 'utf8')).toBe('{}')
  if (process.platform !== 'win32') expect((await stat(path)).mode & 0o777).toBe(0o600)
  await rm(dir, { recursive: true })
})
