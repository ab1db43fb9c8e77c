import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { Agent } from '../agent/agent.ts'
import { createAgent } from '../agent/agent.ts'
import { Connection } from '../shared/api/models.ts'
import { ProblemDocument } from '../shared/api/problem.ts'
import { GatewayConfig, type GatewayConfigInput } from './config.ts'
import { type Gateway, startGateway } from './gateway.ts'
import type { Log } from './services.ts'
import { jsonOf } from './testing/client.ts'
import { quiet, startTestStore } from './testing/store.ts'
import { startTestUpstream, type TestUpstream } from './testing/upstream.ts'

const policy = `
@id("everyone-reads") @reason("Everyone signed in reads")
permit (principal, action in [Action::"connect", Action::"sql:read"], resource == Connection::"orders-db");
@id("staging-on-approval") @reason("Staging needs an approval") @approve("dba")
permit (principal, action == Action::"connect", resource == Connection::"analytics-db");
`
const classification = 'classes: {}\n'

const target = {
  kind: 'postgres',
  host: '127.0.0.1',
  port: 1,
  database: 'orders',
  user: 'gate',
  password: 'hidden-password',
  tls: { mode: 'disable' },
} as const
const secret = 'a secret of a machine'

let dir: string
let agent: Agent
let upstream: TestUpstream
let gateway: Gateway

function config(changes: Partial<GatewayConfigInput> = {}): GatewayConfig {
  return GatewayConfig.parse({
    name: 'Harborline',
    listen: { host: '127.0.0.1', port: 0 },
    native: { postgres: { host: '127.0.0.1', port: 0 }, ssh: { host: '127.0.0.1', port: 0 } },
    dataDir: join(dir, 'gateway'),
    upstream: { issuer: upstream.issuer, clientId: upstream.clientId, clientSecret: upstream.clientSecret },
    machines: [{ clientId: 'deploy', clientSecret: secret, name: 'Deploy', groups: ['engineers'] }],
    connections: ['orders-db', 'analytics-db', 'vault-db'].map((name) => ({
      name,
      kind: 'postgres' as const,
      environment: 'production' as const,
      target,
    })),
    policyDir: join(dir, 'policy'),
    ...changes,
  })
}

async function machineToken(url: string): Promise<string> {
  const response = await fetch(`${url}/oauth/token`, {
    method: 'POST',
    body: new URLSearchParams({ grant_type: 'client_credentials', client_id: 'deploy', client_secret: secret }),
  })
  return (await jsonOf(response, z.object({ access_token: z.string() }))).access_token
}

async function get(path: string, init: RequestInit = {}): Promise<Response> {
  const authorization = `Bearer ${await machineToken(gateway.url)}`
  return fetch(`${gateway.url}/api/v1${path}`, { ...init, headers: { ...init.headers, authorization } })
}

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sallyport-whole-'))
  // When root runs this, PostgreSQL runs as another user and has to pass.
  await chmod(dir, 0o711)
  const policyDir = join(dir, 'policy')
  await mkdir(policyDir)
  await writeFile(join(policyDir, 'main.cedar'), policy)
  await writeFile(join(policyDir, 'classification.yaml'), classification)
  upstream = await startTestUpstream()
  agent = await createAgent({ dataDir: join(dir, 'agent'), log: quiet })
  gateway = await startGateway(config(), { agent, log: quiet })
})

afterAll(async () => {
  await gateway?.close()
  await agent?.close()
  await upstream?.close()
  await rm(dir, { recursive: true, maxRetries: 5 })
})

describe('a gateway', () => {
  test('is ready, and lists what policy lets one open or ask for', async () => {
    expect((await fetch(`${gateway.url}/readyz`)).status).toBe(200)
    const connections = await jsonOf(await get('/connections'), z.array(Connection))
    expect(connections.map(({ name, access, reachable }) => [name, access, reachable])).toEqual([
      ['orders-db', 'open', false],
      ['analytics-db', 'locked', false],
    ])
    expect(connections[0]?.native).toBe(gateway.native.postgres)
    expect(JSON.stringify(connections)).not.toContain('hidden-password')
  })

  test('gives a token for what is open, and says how to ask for what is not', async () => {
    const token = await get('/connections/orders-db/tokens', { method: 'POST' })
    expect(token.status).toBe(201)
    expect(await token.json()).toMatchObject({ user: 'deploy', database: 'orders-db' })
    const held = await get('/connections/analytics-db/tokens', { method: 'POST' })
    const { status, detail } = await jsonOf(held, ProblemDocument)
    expect(status).toBe(403)
    expect(detail).toMatch(/staging-on-approval.*sallyport request/)
  })

  test('an unreachable target is said to be one', async () => {
    const response = await get('/connections/orders-db/schema')
    expect(await jsonOf(response, ProblemDocument)).toMatchObject({ status: 502, code: 'UNREACHABLE' })
  })

  test('sends events as they happen, and again from where a client left off', async () => {
    const stream = await get('/events', { headers: { accept: 'text/event-stream', 'last-event-id': '0' } })
    expect(stream.headers.get('content-type')).toMatch(/^text\/event-stream/)
    const reader = stream.body?.pipeThrough(new TextDecoderStream()).getReader()
    let text = ''
    while (!text.includes('"policy"')) text += (await reader?.read())?.value ?? ''
    expect(text).toMatch(/"type":"hello"/)
    await reader?.cancel()
  })

  test('the policy that is in force, and what was started, can be looked up', async () => {
    const found = await jsonOf(await get('/policies'), z.object({ version: z.string(), files: z.array(z.unknown()) }))
    expect(found.files).toHaveLength(2)
    const agents = await jsonOf(await get('/agents'), z.array(z.object({ connections: z.array(z.string()) })))
    expect(agents[0]?.connections).toEqual(['orders-db', 'analytics-db'])
    const identities = await jsonOf(await get('/identities'), z.array(z.object({ id: z.string() })))
    expect(identities.map(({ id }) => id)).toEqual(['deploy'])
  })

  test('is not started twice on one data folder', async () => {
    await expect(startGateway(config(), { agent, log: quiet })).rejects.toThrow(/Another gateway is running/)
  })

  test('does not start with a policy that does not load, nor on a port in use; nothing is left running', async () => {
    const bad = join(dir, 'bad-policy')
    await mkdir(bad)
    await writeFile(join(bad, 'main.cedar'), 'permit (principal, action, resource)\n')
    const dataDir = join(dir, 'second')
    await expect(startGateway(config({ dataDir, policyDir: bad }), { agent, log: quiet })).rejects.toThrow(
      /main\.cedar:\d+: /,
    )
    const taken = { host: '127.0.0.1', port: Number(new URL(gateway.url).port) }
    await expect(startGateway(config({ dataDir, listen: taken }), { agent, log: quiet })).rejects.toThrow(/is in use/)
    const native = { ssh: { host: '127.0.0.1', port: Number(gateway.native.ssh.split(':')[1]) } }
    await expect(startGateway(config({ dataDir, native }), { agent, log: quiet })).rejects.toThrow(/is in use/)
    // The same folder can be used right away: nothing holds it.
    const second = await startGateway(config({ dataDir }), { agent, log: quiet })
    await second.close()
  })
})

test('a gateway that is started again knows its sign-ins, and goes by its operators and says its redirect address', async () => {
  const dataDir = join(dir, 'again')
  const first = await startGateway(config({ dataDir }), { agent, log: quiet })
  const token = await machineToken(first.url)
  const headers = { authorization: `Bearer ${token}` }
  const disable = (url: string) => fetch(`${url}/api/v1/identities/nobody/disable`, { method: 'POST', headers })
  expect((await disable(first.url)).status).toBe(403)
  await first.close()
  const said: unknown[] = []
  const log: Log = { ...quiet, info: (fields) => said.push(fields) }
  const second = await startGateway(config({ dataDir, operators: ['engineers'] }), { agent, log })
  try {
    const me = await fetch(`${second.url}/api/v1/me`, { headers })
    expect(me.status).toBe(200)
    expect((await disable(second.url)).status).toBe(404)
    expect(said).toContainEqual(expect.objectContaining({ redirectUri: `${second.url}/oauth/callback` }))
  } finally {
    await second.close()
  }
})

test('who is off-boarded asks for nothing any more, and has lost what was given', async () => {
  const { url, close } = await startTestStore()
  const store = { kind: 'url' as const, url }
  const running = await startGateway(config({ dataDir: join(dir, 'leaving'), store, operators: ['engineers'] }), {
    agent,
    log: quiet,
  })
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(`insert into identities (id, kind, name, groups, issuer, subject)
      values ('leaver', 'user', 'Leaver', '[]', 'https://idp.example', 'u-1')`)
    const approval = { group: 'dba', count: 1, windowSeconds: 1_800, notify: [] }
    for (const [id, state] of [
      ['req_asked', 'pending'],
      ['req_given', 'approved'],
    ]) {
      await client.query(
        `insert into requests (id, kind, state, requester_id, requester, connection_name, connection, reason, policy, approval, tables,
           binding, actions, data_classes, source_ip, expires_at)
         values ($1, 'grant', $2, 'leaver', $3, 'analytics-db', $4, 'why', $5, $6, '[]', '{}', '["connect"]', '[]', '127.0.0.1',
           now() + interval '1 hour')`,
        [
          id,
          state,
          JSON.stringify({ kind: 'user', id: 'leaver', name: 'Leaver', groups: [] }),
          JSON.stringify({ name: 'analytics-db', kind: 'postgres', environment: 'production', tags: [] }),
          JSON.stringify({ id: 'staging-on-approval', reason: 'Staging needs an approval' }),
          JSON.stringify(approval),
        ],
      )
    }
    await client.query(`insert into grants (id, request_id, principal_id, connection_name, actions, data_classes, approved_by, starts_at, ends_at)
      values ('gra_1', 'req_given', 'leaver', 'analytics-db', '["connect"]', '[]', '["grace"]', now(), now() + interval '1 hour')`)
    const authorization = `Bearer ${await machineToken(running.url)}`
    const response = await fetch(`${running.url}/api/v1/identities/leaver/disable`, {
      method: 'POST',
      headers: { authorization },
    })
    expect(response.status).toBe(200)
    const { rows } = await client.query('select id, state from requests order by id')
    expect(rows).toEqual([
      { id: 'req_asked', state: 'cancelled' },
      { id: 'req_given', state: 'revoked' },
    ])
    expect((await client.query('select revoked_by from grants')).rows).toEqual([{ revoked_by: 'deploy' }])
  } finally {
    await client.end()
    await running.close()
    await close()
  }
})

test('a gateway with another key than its store’s does not start, and leaves the store as it was', async () => {
  const { url, close } = await startTestStore()
  try {
    const store = { kind: 'url' as const, url }
    const first = await startGateway(config({ dataDir: join(dir, 'key-1'), store }), { agent, log: quiet })
    await first.close()
    const kept = async () => {
      const client = new pg.Client({ connectionString: url })
      await client.connect()
      const { rows } = await client.query('select * from connections order by name')
      await client.end()
      return rows
    }
    const before = await kept()
    await expect(startGateway(config({ dataDir: join(dir, 'key-2'), store }), { agent, log: quiet })).rejects.toThrow(
      /Start the gateway with the data key/,
    )
    expect(await kept()).toEqual(before)
  } finally {
    await close()
  }
})

test('a machine that is no longer configured is out', async () => {
  const dataDir = join(dir, 'removed')
  const first = await startGateway(config({ dataDir }), { agent, log: quiet })
  const token = await machineToken(first.url)
  await first.close()
  const second = await startGateway(config({ dataDir, machines: [] }), { agent, log: quiet })
  try {
    const me = await fetch(`${second.url}/api/v1/me`, { headers: { authorization: `Bearer ${token}` } })
    expect(me.status).toBe(401)
    await expect(machineToken(second.url)).rejects.toThrow()
  } finally {
    await second.close()
  }
})
