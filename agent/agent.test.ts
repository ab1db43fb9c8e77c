import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { duplexPair } from 'node:stream'
import ssh2 from 'ssh2'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ConnectionRef } from '../shared/connection.ts'
import type { Grant } from '../shared/decision.ts'
import type { PolicyFile, SessionPort, SessionSpec, Target } from '../shared/link.ts'
import type { Principal } from '../shared/principal.ts'
import type { RecordingEvent } from '../shared/recording.ts'
import { type Agent, createAgent } from './agent.ts'
import { nowhere } from './inspect/postgres/testing/nowhere.ts'
import { ed25519Pair } from './inspect/ssh/key-pair.ts'

const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined }
const ada: Principal = { kind: 'user', id: 'ada', name: 'Ada', groups: ['engineers'] }
const web: ConnectionRef = { name: 'web-1', kind: 'ssh', environment: 'production', tags: [] }
const context = { sourceIp: '127.0.0.1', mfa: false }

const cedar = `
@id("host") permit(principal in Group::"engineers", action in [Action::"connect", Action::"ssh:shell", Action::"ssh:exec"], resource);
@id("no-rm") @reason("Name what you delete.") forbid(principal, action == Action::"ssh:exec", resource) when { context.command like "rm *" };
@id("kill") permit(principal in Group::"dba", action == Action::"kill", resource);
@id("pii") @approve("dba") permit(principal, action == Action::"unmask", resource);`
const files = (more = ''): PolicyFile[] => [
  { path: 'a.cedar', text: cedar + more },
  { path: 'classification.yaml', text: 'classes: { email: { mask: partial, detectors: [email] } }' },
]
const lockdown = '@id("lockdown") @reason("Incident 7.") forbid(principal, action, resource);'

let agent: Agent
let dir: string
let host: ssh2.Server
let target: Target

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sallyport-agent-'))
  agent = await createAgent({ dataDir: dir, log: quiet })
  ;({ host, target } = await startHost())
})
afterEach(async () => {
  await agent.close()
  await new Promise((resolve) => host.close(resolve))
  await rm(dir, { recursive: true })
})

/** An SSH host that answers every command with an e-mail address. */
async function startHost(): Promise<{ host: ssh2.Server; target: Target }> {
  const hostKey = ed25519Pair()
  const server = new ssh2.Server({ hostKeys: [hostKey.private] }, (client) => {
    client.on('authentication', (auth) => auth.accept())
    client.on('error', () => client.end())
    client.on('session', (accept) => {
      accept().on('exec', (acceptExec) => {
        const stream = acceptExec()
        stream.write('ada@example.com\n')
        stream.exit(0)
        stream.end()
      })
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const parsed = ssh2.utils.parseKey(hostKey.public)
  if (typeof address === 'string' || address === null || parsed instanceof Error) throw new Error('no host')
  const digest = createHash('sha256').update(parsed.getPublicSSH()).digest('base64').replace(/=+$/, '')
  const user = ed25519Pair().private
  return {
    host: server,
    target: {
      kind: 'ssh',
      host: '127.0.0.1',
      port: address.port,
      user: 'deploy',
      privateKey: user,
      hostKeys: [`SHA256:${digest}`],
    },
  }
}

function spec(grants: readonly Grant[] = []): SessionSpec {
  return { sessionId: 's1', principal: ada, connection: web, target, annotations: 'text', context, grants }
}

function gatewayPort() {
  const events: RecordingEvent[] = []
  const started = Promise.withResolvers<void>()
  const port: SessionPort = {
    started: () => started.resolve(),
    record: (event) => void events.push(event),
    hold: () => Promise.reject(new Error('nothing is held here')),
  }
  return { port, events, started: started.promise }
}

/** An SSH client in the tunnel of an open session. */
async function connect() {
  const [near, far] = duplexPair()
  const gateway = gatewayPort()
  const session = agent.open(spec(), far, gateway.port)
  const client = new ssh2.Client()
  client.on('error', () => client.destroy())
  client.connect({ sock: near, username: 'anyone' })
  await once(client, 'ready')
  return { client, session, ...gateway }
}

async function run(client: ssh2.Client, command: string): Promise<{ code: number; output: string }> {
  return new Promise((resolve, reject) => {
    client.exec(command, (error, stream) => {
      if (error) return reject(error)
      let output = ''
      let code = -1
      stream.on('data', (data: Buffer) => {
        output += data.toString()
      })
      stream.stderr.resume()
      stream.on('exit', (status: number) => {
        code = status
      })
      stream.on('close', () => resolve({ code, output }))
    })
  })
}

describe('a session through the agent', () => {
  test('is decided, masked and recorded', async () => {
    await agent.pushPolicy(files())
    const { client, session, events } = await connect()
    expect(await run(client, 'whoami')).toEqual({ code: 0, output: 'a•••@•••.com\n' })
    expect((await run(client, 'rm -rf build')).code).toBe(126)
    client.end()
    const end = await session.done
    expect(end.bytesOut).toBeGreaterThan(0)
    const requests = events.flatMap((event) => (event.type === 'request' ? [[event.text, event.policy?.id]] : []))
    expect(requests).toContainEqual(['rm -rf build', 'no-rm'])
    expect(JSON.stringify(events)).not.toContain('ada@')
  })

  test('ends when a policy says so', async () => {
    await agent.pushPolicy(files())
    const { client, session } = await connect()
    await run(client, 'whoami')
    await agent.pushPolicy(files(lockdown))
    expect((await session.done).reason).toContain('lockdown')
  })

  test('goes on when a bad policy is pushed', async () => {
    await agent.pushPolicy(files())
    const { client } = await connect()
    expect((await agent.pushPolicy(files('permit('))).ok).toBe(false)
    expect((await run(client, 'whoami')).code).toBe(0)
    client.end()
  })

  test('ends with the agent', async () => {
    await agent.pushPolicy(files())
    const { session } = await connect()
    await agent.close()
    expect((await session.done).reason).toContain('The agent is stopping')
  })

  test('never reaches the target without a policy', async () => {
    let reached = 0
    host.on('connection', () => reached++)
    const [near, far] = duplexPair()
    near.on('error', () => near.destroy())
    near.resume()
    const session = agent.open(spec(), far, gatewayPort().port)
    expect((await session.done).reason).toContain('policy-not-loaded')
    expect(reached).toBe(0)
  })
})

describe('without a session', () => {
  test('everything is blocked until there is a policy', () => {
    expect(agent.decide(ada, 'kill', web, context)).toMatchObject({
      verdict: 'block',
      policy: { id: 'policy-not-loaded' },
    })
    expect(agent.access(spec())).toMatchObject({ connect: { verdict: 'block' }, dataClasses: [] })
  })

  test('access names every action that fits, and each data class', async () => {
    await agent.pushPolicy(files())
    const access = agent.access(spec())
    expect(access.connect.verdict).toBe('allow')
    expect(access.actions.map(({ action, decision }) => [action, decision.verdict])).toEqual([
      ['ssh:shell', 'allow'],
      ['ssh:exec', 'allow'],
      ['ssh:sftp', 'block'],
      ['ssh:forward', 'block'],
    ])
    expect(access.dataClasses).toMatchObject([{ name: 'email', unmask: { verdict: 'masked', policy: { id: 'pii' } } }])
    const database = { ...spec(), connection: { ...web, kind: 'postgres' as const } }
    expect(agent.access(database).actions.map(({ action }) => action)).toContain('sql:select')
  })

  test('decides about sessions, and follows the policy', async () => {
    await agent.pushPolicy(files())
    const grace = { ...ada, id: 'grace', groups: ['dba'] }
    expect(agent.decide(grace, 'kill', web, context).verdict).toBe('allow')
    expect(agent.decide(ada, 'kill', web, context).verdict).toBe('block')
    await agent.pushPolicy(files(lockdown))
    expect(agent.decide(grace, 'kill', web, context)).toMatchObject({ verdict: 'block', policy: { id: 'lockdown' } })
  })

  test('explains a command', async () => {
    await agent.pushPolicy(files())
    const [allowed] = (await agent.explain(spec(), 'tail app.log')).statements
    expect(allowed).toMatchObject({
      action: 'ssh:exec',
      decision: { verdict: 'allow' },
      masks: [{ dataClass: 'email' }],
    })
    const [blocked] = (await agent.explain(spec(), 'rm app.log')).statements
    expect(blocked).toMatchObject({ decision: { verdict: 'block', policy: { id: 'no-rm' } }, masks: [] })
  })

  test('probes, and has a host key', async () => {
    expect(await agent.probe(target, 1_000)).toBe(true)
    expect(agent.sshHostKey).toMatch(/^SHA256:[A-Za-z0-9+/]{43}$/)
  })
})

test('a connection that is not open to somebody is explained by that alone, whatever is in it', async () => {
  const locked =
    '@id("db") @approve("dba") permit(principal in Group::"engineers", action == Action::"connect", resource);'
  const load = await agent.pushPolicy([{ path: 'a.cedar', text: locked }, ...files().slice(1)])
  expect(load).toMatchObject({ ok: true })
  const orders: ConnectionRef = { name: 'orders-db', kind: 'postgres', environment: 'production', tags: [] }
  // Nothing listens there: it is not asked.
  const closed = { ...spec(), connection: orders, target: nowhere }
  const text = 'select email from customers'
  expect(await agent.explain(closed, text)).toMatchObject({
    statements: [
      {
        start: 0,
        end: text.length,
        action: 'connect',
        decision: { verdict: 'hold', policy: { id: 'db' } },
        masks: [],
        tables: [],
      },
    ],
  })
  const stranger = { ...closed, principal: { ...ada, groups: [] } }
  expect((await agent.explain(stranger, text)).statements[0]).toMatchObject({
    action: 'connect',
    decision: { verdict: 'block' },
  })
})
