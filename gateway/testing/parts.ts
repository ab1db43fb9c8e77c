import type { ConnectionRef } from '../../shared/connection.ts'
import type { Caller } from '../api/context.ts'
import { Audit } from '../audit/audit.ts'
import { StoreClock } from '../clock.ts'
import type { Limits } from '../config-schema.ts'
import { createConnections } from '../connections/connections.ts'
import { Events } from '../events/events.ts'
import { GrantBook } from '../grants/grants.ts'
import { createIdentities } from '../identity/identities.ts'
import { NotifyConfig } from '../notify/config.ts'
import { tellThrough } from '../notify/outbox.ts'
import { Recordings } from '../recordings/recordings.ts'
import { Requests } from '../requests/requests.ts'
import { Cancels } from '../sessions/cancels.ts'
import { Definitions } from '../sessions/definitions.ts'
import { Sessions } from '../sessions/registry.ts'
import { Standing } from '../sessions/standing.ts'
import { SessionView } from '../sessions/view.ts'
import { json } from '../store/database.ts'
import { Tokens } from '../tokens.ts'
import { type TestAgent, testAgent } from './agent.ts'
import { quiet, type TestStore } from './store.ts'

/** For tests: sessions, requests, grants, events, recordings and audit over a real store, with a fake agent. */
export interface TestParts {
  agent: TestAgent
  audit: Audit
  events: Events
  grants: GrantBook
  recordings: Recordings
  requests: Requests
  clock: StoreClock
  sessions: Sessions
  /** Looks when it is told to, and not by itself. */
  standing: Standing
  tokens: Tokens
  view: SessionView
  connections: ReturnType<typeof createConnections>
  /** Makes the person (again), with these groups from now on. */
  person(id: string, groups: string[]): Promise<Caller>
  /** A machine of somebody's. */
  machine(id: string, groups: string[], owner: string): Promise<Caller>
  remove(id: string): Promise<void>
  /** Actions in the audit log, oldest first. */
  audited(): Promise<string[]>
  cancels: Cancels
  definitions: Definitions
  close(): Promise<void>
}

export const database: ConnectionRef = { name: 'orders-db', kind: 'postgres', environment: 'production', tags: [] }
/** Where nobody answers: no test of the gateway dials. */
export const databaseTarget = {
  kind: 'postgres',
  host: '127.0.0.1',
  port: 1,
  database: 'orders',
  user: 'app',
  password: '',
  tls: { mode: 'disable' },
} as const
export const host: ConnectionRef = { name: 'web-1', kind: 'ssh', environment: 'production', tags: [] }

export async function startParts(
  server: TestStore,
  options: { replica?: string; holdSeconds?: number; sweepMs?: number; notify?: NotifyConfig; limits?: Limits } = {},
): Promise<TestParts> {
  const { store, sealer, dataDir } = server
  const { db, listener, prepared } = store
  const log = quiet
  const agent = testAgent()
  const connections = createConnections([
    {
      ...database,
      description: '',
      ...(options.limits === undefined ? {} : { limits: options.limits }),
      target: databaseTarget,
    },
    {
      ...host,
      description: '',
      target: { kind: 'ssh', host: '127.0.0.1', port: 1, user: 'app', privateKey: '', hostKeys: [] },
    },
  ])
  const audit = await Audit.open({ db, sealer, dataDir, log })
  const events = new Events({ db, listener, log })
  await events.start()
  const recordings = new Recordings({ dataDir, log })
  const clock = new StoreClock(db, log)
  await clock.start()
  const tell = tellThrough(options.notify ?? NotifyConfig.parse({}), clock)
  const grants = new GrantBook({ db, events, audit, clock, tell, log })
  const requests = new Requests({
    db,
    sealer,
    events,
    audit,
    grants,
    agent,
    connections,
    clock,
    tell,
    log,
    ...(options.holdSeconds === undefined ? {} : { holdSeconds: options.holdSeconds }),
    ...(options.sweepMs === undefined ? {} : { sweepMs: options.sweepMs }),
  })
  const tokens = new Tokens(store, createIdentities(db))
  const cancels = new Cancels({ agent, listener, log })
  const definitions = new Definitions({ agent, listener, log })
  const standing = new Standing({ db, log })
  const sessions = new Sessions({
    standing,
    db,
    listener,
    events,
    prepared,
    audit,
    recordings,
    cancels,
    definitions,
    requests,
    tokens,
    agent,
    connections,
    grants,
    log,
    replica: options.replica ?? 'test',
  })
  const view = new SessionView({ db, agent, connections, sessions })
  await sessions.start()
  await cancels.start()
  await definitions.start()
  requests.start()
  await grants.start((principal, connection) => sessions.grantsChanged(principal, connection))
  return {
    agent,
    audit,
    events,
    grants,
    recordings,
    requests,
    clock,
    sessions,
    standing,
    cancels,
    definitions,
    tokens,
    view,
    connections,
    person: async (id, groups) => {
      const values = { name: id, groups: json(groups), disabled_at: null }
      await db
        .insertInto('identities')
        .values({ id, kind: 'user', issuer: 'test', subject: id, ...values })
        .onConflict((conflict) => conflict.column('id').doUpdateSet(values))
        .execute()
      return {
        principal: { kind: 'user', id, name: id, groups },
        sourceIp: '127.0.0.1',
        mfa: true,
        signInEndsAt: new Date(Date.now() + 3_600_000).toISOString(),
        signedInAt: new Date().toISOString(),
        client: 'desktop',
        tokenId: `sign-in of ${id}`,
      }
    },
    machine: async (id, groups, owner) => {
      await db
        .insertInto('identities')
        .values({ id, kind: 'machine', issuer: null, subject: null, name: id, groups: json(groups), owner })
        .execute()
      return {
        principal: { kind: 'machine', id, name: id, groups },
        sourceIp: '127.0.0.1',
        mfa: false,
        client: 'machine',
        signInEndsAt: new Date(Date.now() + 600_000).toISOString(),
        tokenId: `token of ${id}`,
      }
    },
    remove: async (id) => {
      await db.updateTable('identities').set({ disabled_at: new Date() }).where('id', '=', id).execute()
    },
    audited: async () => (await audit.list(0, 1_000)).map((record) => record.action),
    close: async () => {
      await sessions.close()
      cancels.close()
      definitions.close()
      requests.close()
      await grants.close()
      clock.close()
      events.close()
      recordings.close()
      await audit.close()
    },
  }
}
