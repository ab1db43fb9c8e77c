import { expect, inject, test } from 'vitest'
import { z } from 'zod'
import { call, type Role, sessionToken } from '../support/access.ts'
import { RawPostgres } from '../support/raw-postgres.ts'

/** What people try at the API with an identity of their own that is not the right one. */
const demo = inject('demo')
const Named = z.object({ id: z.string() })
const Sessions = z.array(z.object({ id: z.string(), principal: z.object({ id: z.string() }) }))

async function session(role: Role): Promise<{ client: RawPostgres; id: string }> {
  const token = await sessionToken(demo, role, 'orders-db')
  const database = token.database ?? token.user
  const client = await RawPostgres.open({ ...token, database, password: token.token })
  await client.query("select 'a secret of mine'")
  const me = z.object({ principal: Named }).parse((await call(demo, role, 'GET', '/me')).body)
  const all = Sessions.parse((await call(demo, role, 'GET', '/sessions?state=live')).body)
  const own = all.find(({ principal }) => principal.id === me.principal.id)
  if (own === undefined) throw new Error('the session is not listed for whom it belongs to')
  return { client, id: own.id }
}

test('a session and its recording are for their owner and for who may replay, and exist for nobody else', async () => {
  const { client, id } = await session('engineer')
  for (const path of [`/sessions/${id}`, `/recordings/${id}`, `/recordings/${id}/verify`]) {
    expect((await call(demo, 'engineer', 'GET', path)).status, path).toBe(200)
    expect((await call(demo, 'auditor', 'GET', path)).status, path).toBe(200)
    const stranger = await call(demo, 'contractor', 'GET', path)
    expect(stranger.status, path).toBe(404)
    expect(JSON.stringify(stranger.body)).not.toContain('a secret of mine')
  }
  expect((await call(demo, 'contractor', 'POST', `/sessions/${id}/kill`, { reason: 'because' })).status).toBe(404)
  expect((await client.query('select 1')).closed).toBe(false)
  client.close()
})

test.each([
  '..%2f..%2fsecret.key',
  '%2e%2e/%2e%2e/secret.key',
  '..%5c..%5csecret.key',
  'ses_%00',
  "ses_' or 1=1 --",
  'a'.repeat(3000),
])('a recording by the name of %s is none, and says nothing of the inside', async (name) => {
  const { status, body } = await call(demo, 'auditor', 'GET', `/recordings/${name}`)
  expect([400, 404]).toContain(status)
  expect(JSON.stringify(body)).not.toMatch(/\bat \S+ \(|node_modules|ENOENT|select |\.ts\b/)
})

test('an approval is somebody else’s, once, and opens one connection', async () => {
  const wanted = {
    connection: 'analytics-db',
    actions: ['unmask'],
    // Of another class than other tests ask for as this person.
    dataClasses: ['phone'],
    durationSeconds: 60,
    reason: 'a test',
  }
  const asked = await call(demo, 'oncall', 'POST', '/requests', wanted)
  const { id } = Named.parse(asked.body)
  expect((await call(demo, 'oncall', 'POST', `/requests/${id}/approve`, { reason: 'mine' })).status).toBe(403)
  expect((await call(demo, 'engineer', 'POST', `/requests/${id}/approve`, { reason: 'a friend' })).status).toBe(404)
  expect((await call(demo, 'auditor', 'GET', `/requests/${id}`)).status).toBe(404)
  expect((await call(demo, 'dba', 'POST', `/requests/${id}/approve`, { reason: 'fine' })).status).toBe(200)
  expect((await call(demo, 'dba', 'POST', `/requests/${id}/approve`, { reason: 'again' })).status).toBe(409)
  expect((await call(demo, 'dba', 'POST', `/requests/${id}/deny`, { reason: 'no' })).status).toBe(409)

  const token = await sessionToken(demo, 'oncall', 'orders-db')
  const other = await RawPostgres.open({ ...token, database: token.database ?? token.user, password: token.token })
  expect((await other.query('select phone from customers where id = 1')).notices).toContain('SPM01')
  other.close()
})

test('a request that was cancelled can’t be approved', async () => {
  const wanted = { connection: 'orders-db', actions: ['sql:update'], durationSeconds: 60, reason: 'a test' }
  const { id } = Named.parse((await call(demo, 'oncall', 'POST', '/requests', wanted)).body)
  expect((await call(demo, 'engineer', 'POST', `/requests/${id}/cancel`)).status).toBe(404)
  expect((await call(demo, 'oncall', 'POST', `/requests/${id}/cancel`)).status).toBe(200)
  expect((await call(demo, 'dba', 'POST', `/requests/${id}/approve`, { reason: 'late' })).status).toBe(409)
})

test('what one may not know of can’t be told from what does not exist, and nothing about it is put on record', async () => {
  const key = { processId: 1, digest: Buffer.alloc(32, 7).toString('base64') }
  const ways = (connection: string): [string, unknown][] => [
    ['/explain', { connection, text: 'ls' }],
    ['/sessions/cancel', { connection, ...key }],
    ['/requests', { connection, actions: ['ssh:exec'], durationSeconds: 60, reason: 'a test' }],
  ]
  for (const [i, [path, body]] of ways('web-1').entries()) {
    const hidden = await call(demo, 'contractor', 'POST', path, body)
    const missing = await call(demo, 'contractor', 'POST', path, ways('web-9')[i]?.[1])
    expect(hidden.status, path).toBe(404)
    expect(JSON.stringify(missing.body).replaceAll('web-9', 'web-1')).toBe(JSON.stringify(hidden.body))
  }
  expect((await call(demo, 'engineer', 'POST', '/sessions/cancel', { connection: 'web-1', ...key })).status).toBe(202)
})

test('one text to explain does not hold up everybody else', async () => {
  const many = await call(demo, 'contractor', 'POST', '/explain', {
    connection: 'orders-db',
    text: 'select 1;'.repeat(14_000),
  })
  expect(many.status).toBe(200)
  expect(JSON.stringify(many.body).length).toBeLessThan(1_000)
  const wide = `select ${Array(20_000).fill('c.*').join(',')} from customers c`
  const masked = await call(demo, 'contractor', 'POST', '/explain', { connection: 'orders-db', text: wide })
  expect(JSON.stringify(masked.body).length).toBeLessThan(1_000_000)
  const long = await call(demo, 'contractor', 'POST', '/explain', {
    connection: 'orders-db',
    text: ' '.repeat(200_000),
  })
  expect(long.status).toBe(400)
})
