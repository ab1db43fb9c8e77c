import { call, ORPCError } from '@orpc/server'
import { expect, test, vi } from 'vitest'
import type { Decision } from '../../shared/decision.ts'
import type { ConnectionAccess } from '../../shared/link.ts'
import type { Caller } from '../api/context.ts'
import { type ExplainDeps, explainRouter } from '../api/explain.ts'
import { quiet } from '../testing/store.ts'
import { createConnections } from './connections.ts'
import { createReach } from './reach.ts'
import { type ConnectionsDeps, connectionsRouter } from './router.ts'

const policy = { id: 'contractors-no-shell', reason: 'Contractors have no shell' }
const decisions: Record<string, Decision> = {
  'orders-db': { verdict: 'allow', policies: [] },
  'web-1': { verdict: 'block', policy },
  // Open to whoever signed in with a second factor.
  'vault-db': { verdict: 'block', policy },
  'analytics-db': {
    verdict: 'hold',
    policy,
    approval: { group: 'dba', count: 1, windowSeconds: 1800, notify: [] },
  },
}
const target = {
  kind: 'postgres',
  host: '10.0.0.5',
  port: 5432,
  database: 'orders',
  user: 'gate',
  password: 'hidden',
  tls: { mode: 'disable' },
} as const
const connections = createConnections(
  Object.keys(decisions).map((name) => ({
    name,
    kind: 'postgres',
    environment: 'production',
    tags: ['pii'],
    description: name,
    target,
  })),
)
const caller: Caller = {
  principal: { kind: 'user', id: 'mallory', name: 'Mallory', groups: ['contractors'] },
  sourceIp: '127.0.0.1',
  mfa: false,
  signInEndsAt: '2030-01-01T00:00:00.000Z',
  tokenId: 't',
}

function deps(schema: () => Promise<[]> = async () => []): ConnectionsDeps {
  const unused = () => {
    throw new Error('not asked for here')
  }
  return {
    connections,
    grants: { inForce: async () => [] },
    reach: { check: async () => true },
    native: { postgres: '127.0.0.1:5433', ssh: '' },
    log: quiet,
    agent: {
      sshHostKey: 'SHA256:x',
      lending: unused,
      rdpCertificate: '',
      rows: unused,
      access: ({ connection, context }): ConnectionAccess => ({
        connect:
          connection.name === 'vault-db' && context.mfa
            ? { verdict: 'allow', policies: [] }
            : (decisions[connection.name] ?? { verdict: 'block', policy }),
        actions: [{ action: 'sql:read', decision: { verdict: 'allow', policies: [] } }],
        dataClasses: [],
      }),
      schema,
      explain: async () => ({ statements: [] }),
      pushPolicy: unused,
      open: unused,
      openSsh: unused,
      cancelPostgres: unused,
      definitionsChanging: unused,
      definitionsChanged: unused,
      decide: unused,
      probe: unused,
      close: unused,
    },
  }
}

/** The other identities that there are, and what is put on record. */
function others(log: unknown[] = []): Pick<ExplainDeps, 'audit' | 'identities'> {
  const ada = { kind: 'user' as const, id: 'ada', name: 'Ada', groups: ['engineers'] }
  return {
    identities: {
      get: async (id) => (id === 'ada' ? ada : undefined),
      list: async () => [ada],
      members: async () => [],
    },
    audit: { append: async (entry) => void log.push(entry) },
  }
}

const context = { context: { caller } }
const failure = async (promise: Promise<unknown>) => {
  const error: unknown = await promise.catch((thrown: unknown) => thrown)
  if (!(error instanceof ORPCError)) throw new Error(`expected an error of the contract, got ${String(error)}`)
  return [error.code, error.message] as const
}

test('lists what may be opened or asked for, and nothing of what may not; no address, no credential', async () => {
  const router = connectionsRouter(deps())
  const list = await call(router.list, undefined, context)
  expect(list.map(({ name, access }) => [name, access])).toEqual([
    ['orders-db', 'open'],
    ['vault-db', 'open'],
    ['analytics-db', 'locked'],
  ])
  // Opening one that is locked can be asked for.
  expect(list.map(({ actions }) => actions.map(({ action }) => action))).toEqual([
    ['sql:read'],
    ['sql:read'],
    ['connect', 'sql:read'],
  ])
  expect(list.map(({ stepUp }) => stepUp)).toEqual([undefined, true, undefined])
  expect(list[0]).toMatchObject({ database: 'orders', native: '127.0.0.1:5433', reachable: true })
  expect(JSON.stringify(list)).not.toMatch(/10\.0\.0\.5|hidden|gate/)
})

test('what one may not know of looks like what does not exist', async () => {
  const router = connectionsRouter(deps())
  const hidden = await failure(call(router.get, { name: 'web-1' }, context))
  const missing = await failure(call(router.get, { name: 'nothing' }, context))
  expect(hidden).toEqual(['NOT_FOUND', 'There is no connection web-1, or it is not open to you.'])
  expect(missing[0]).toBe('NOT_FOUND')
  expect(await failure(call(router.schema, { name: 'web-1' }, context))).toEqual(hidden)
  const explain = explainRouter({ ...deps(), ...others() })
  expect(await failure(call(explain, { connection: 'web-1', text: 'ls' }, context))).toEqual(hidden)
})

test('explains for others to those who may review, with the grants of the other, and puts it on record', async () => {
  const mayReview = { verdict: 'block' as Decision['verdict'] }
  const asked: unknown[] = []
  const base = deps()
  const explain = explainRouter({
    ...base,
    ...others(asked),
    grants: {
      async inForce(id) {
        asked.push(`grants of ${id}`)
        return []
      },
    },
    agent: {
      ...base.agent,
      decide: (_, action) =>
        action === 'review' && mayReview.verdict === 'allow'
          ? { verdict: 'allow', policies: [] }
          : { verdict: 'block', policy },
      explain: async ({ principal, context: { sourceIp } }) => {
        asked.push(`${principal.id} from ${sourceIp}`)
        return { statements: [] }
      },
    },
  })
  const input = { connection: 'orders-db', text: 'select 1', as: 'ada' }
  expect(await failure(call(explain, input, context))).toEqual(['NOT_FOUND', expect.stringContaining('may not review')])
  mayReview.verdict = 'allow'
  expect(await failure(call(explain, { ...input, as: 'nobody' }, context))).toEqual([
    'NOT_FOUND',
    expect.stringContaining('nobody called'),
  ])
  expect(asked).toEqual([])
  await call(explain, input, context)
  expect(asked).toEqual([
    { actor: 'mallory', action: 'explain', subject: 'ada', detail: { as: 'ada', connection: 'orders-db' } },
    'grants of ada',
    'ada from 127.0.0.1',
  ])
  asked.length = 0
  await call(explain, { ...input, as: 'mallory' }, context)
  expect(asked).toEqual(['grants of mallory', 'grants of mallory', 'mallory from 127.0.0.1'])
})

test('few texts of one person are looked at at once, more wait, and nobody else does', async () => {
  const base = deps()
  const begun: (() => void)[] = []
  const agent: typeof base.agent = {
    ...base.agent,
    explain: () => new Promise((resolve) => begun.push(() => resolve({ statements: [] }))),
  }
  const explain = explainRouter({ ...base, ...others(), agent })
  const ask = (who = context, signal?: AbortSignal) =>
    call(
      explain,
      { connection: 'orders-db', text: 'select 1' },
      { ...who, ...(signal === undefined ? {} : { signal }) },
    )
  const gone = new AbortController()
  const first = Array.from({ length: 4 }, () => ask())
  await vi.waitFor(() => expect(begun).toHaveLength(4))
  const unwanted = ask(context, gone.signal).catch((error: unknown) => error)
  const waiting = Array.from({ length: 11 }, () => ask())
  expect(await failure(ask())).toEqual(['UNAVAILABLE', expect.stringContaining('16 texts')])
  const grace = { context: { caller: { ...caller, principal: { ...caller.principal, id: 'grace' } } } }
  const beside = ask(grace)
  await vi.waitFor(() => expect(begun).toHaveLength(5))
  gone.abort()
  for (let done = 0; done < 4 + 1 + 11; done++) {
    await vi.waitFor(() => expect(begun.length).toBeGreaterThan(done))
    begun[done]?.()
  }
  expect(await Promise.all([...first, beside, ...waiting])).toHaveLength(16)
  expect(await unwanted).toBe(gone.signal.reason)
  // What nobody waited for any more was not looked at.
  expect(begun).toHaveLength(16)
})

test('explaining for others, where that takes a second factor, says so; where it would not help, it is not known', async () => {
  const base = deps()
  const lifted = { by: true }
  const agent: typeof base.agent = {
    ...base.agent,
    decide: (_, action, __, { mfa }) =>
      action === 'review' && mfa && lifted.by ? { verdict: 'allow', policies: [] } : { verdict: 'block', policy },
  }
  const explain = explainRouter({ ...base, ...others(), agent })
  const input = { connection: 'orders-db', text: 'select 1', as: 'ada' }
  expect(await failure(call(explain, input, context))).toEqual(['STEP_UP', expect.stringContaining('second factor')])
  lifted.by = false
  expect((await failure(call(explain, input, context)))[0]).toBe('NOT_FOUND')
})

test('what takes a second factor says so, and shows nothing before; a machine sees nothing of it', async () => {
  expect((await failure(call(connectionsRouter(deps()).schema, { name: 'vault-db' }, context)))[0]).toBe('STEP_UP')
  const explain = explainRouter({ ...deps(), ...others() })
  expect((await failure(call(explain, { connection: 'vault-db', text: 'select 1' }, context)))[0]).toBe('STEP_UP')
  const machine = { context: { caller: { ...caller, principal: { ...caller.principal, kind: 'machine' as const } } } }
  expect((await failure(call(connectionsRouter(deps()).get, { name: 'vault-db' }, machine)))[0]).toBe('NOT_FOUND')
})

test('the schema of a locked connection has to be asked for; one out of reach is said to be so', async () => {
  const [code, message] = await failure(call(connectionsRouter(deps()).schema, { name: 'analytics-db' }, context))
  expect(code).toBe('FORBIDDEN')
  expect(message).toContain('contractors-no-shell')
  const down = connectionsRouter(deps(() => Promise.reject(new Error('ECONNREFUSED 10.0.0.5'))))
  expect(await failure(call(down.schema, { name: 'orders-db' }, context))).toEqual([
    'UNREACHABLE',
    'orders-db does not answer. Its tables can be shown once it does.',
  ])
})

test('a target is probed once in ten seconds, however many ask', async () => {
  let now = 0
  let probes = 0
  const reach = createReach(
    {
      probe: async () => {
        probes += 1
        if (probes === 2) throw new Error('unreachable')
        return true
      },
    },
    () => now,
  )
  const connection = connections.get('orders-db')
  if (connection === undefined) throw new Error('no connection')
  expect(await Promise.all([reach.check(connection), reach.check(connection)])).toEqual([true, true])
  expect(probes).toBe(1)
  now = 10_000
  expect(await reach.check(connection)).toBe(false)
})
