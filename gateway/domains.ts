import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { Audit } from './audit/audit.ts'
import { StoreClock } from './clock.ts'
import type { GatewayConfig } from './config.ts'
import { createConnections, syncConnections } from './connections/connections.ts'
import { Events } from './events/events.ts'
import { GrantBook } from './grants/grants.ts'
import { createIdentities } from './identity/identities.ts'
import type { Lifecycle } from './lifecycle.ts'
import { tellThrough } from './notify/outbox.ts'
import { openPolicySource, type PolicySource } from './policy/source.ts'
import { Recordings } from './recordings/recordings.ts'
import { Requests } from './requests/requests.ts'
import type { Connections, Identities, LocalAgent, Log } from './services.ts'
import { Cancels } from './sessions/cancels.ts'
import { Definitions } from './sessions/definitions.ts'
import { Sessions } from './sessions/registry.ts'
import { Standing } from './sessions/standing.ts'
import { SessionView } from './sessions/view.ts'
import { json } from './store/database.ts'
import type { Sealer } from './store/seal.ts'
import { readOrCreateSecret } from './store/secret-file.ts'
import type { Store } from './store/store.ts'
import { Tokens } from './tokens.ts'

/** All that a gateway keeps and does, before anybody can reach it. */
export interface Domains {
  connections: Connections
  identities: Identities
  audit: Audit
  events: Events
  grants: GrantBook
  recordings: Recordings
  requests: Requests
  tokens: Tokens
  sessions: Sessions
  standing: Standing
  cancels: Cancels
  definitions: Definitions
  view: SessionView
  policy: PolicySource
  /** Names this gateway among replicas. */
  replica: string
}

export interface DomainsDeps {
  agent: LocalAgent
  store: Store
  sealer: Sealer
  log: Log
}

/** Starts them in the order in which they need each other. Rejects when policy does not load: nothing must run open. */
export async function startDomains(
  config: Pick<GatewayConfig, 'dataDir' | 'connections' | 'policyDir' | 'notify'>,
  { agent, store, sealer, log }: DomainsDeps,
  lifecycle: Lifecycle,
): Promise<Domains> {
  const { db, listener, prepared } = store
  const { dataDir } = config
  const connections = createConnections(config.connections)
  const identities = createIdentities(db)

  // Before anything is sealed: it reads what the store holds sealed, so that nothing is written with another store's key.
  const audit = await Audit.open({ db, sealer, dataDir, log })
  lifecycle.started(() => audit.close())
  await syncConnections(db, sealer, connections.list())
  const events = new Events({ db, listener, log })
  await events.start()
  lifecycle.started(() => events.close())
  const recordings = new Recordings({ dataDir, log })
  lifecycle.started(() => recordings.close())
  const clock = new StoreClock(db, log)
  await clock.start()
  lifecycle.started(() => clock.close())
  const tell = tellThrough(config.notify, clock)
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
  })
  const tokens = new Tokens(store, identities)
  const replica = await readOrCreateSecret(join(dataDir, 'replica.id'), randomUUID)
  const cancels = new Cancels({ agent, listener, log })
  const definitions = new Definitions({ agent, listener, log })
  const standing = new Standing({ db, log })
  const sessions = new Sessions({
    standing,
    cancels,
    definitions,
    db,
    listener,
    events,
    prepared,
    audit,
    recordings,
    requests,
    tokens,
    agent,
    connections,
    grants,
    replica,
    log,
  })
  const view = new SessionView({ db, agent, connections, sessions })

  const policy = await openPolicySource({
    folder: config.policyDir,
    push: (files) => agent.pushPolicy(files),
    notify: { channels: config.notify.channels.map(({ name }) => name), mail: config.notify.smtp !== undefined },
    loaded: async ({ version, files }) => {
      await audit.within(async (trx, append) => {
        const stored = await trx
          .insertInto('policy_sets')
          .values({ version, files: json(files) })
          .onConflict((conflict) => conflict.column('version').doUpdateSet({ loaded_at: new Date() }))
          .returning('version')
          .executeTakeFirstOrThrow()
        await append({
          actor: 'gateway',
          action: 'policy.load',
          subject: stored.version,
          detail: { files: files.length },
        })
        await events.publish(trx, { type: 'policy', version }, { everyone: true })
      })
      sessions.policyChanged()
    },
    log,
  })
  lifecycle.started(() => policy.close())

  await sessions.start()
  standing.start()
  lifecycle.started(() => standing.close())
  await cancels.start()
  lifecycle.started(() => cancels.close())
  await definitions.start()
  lifecycle.started(() => definitions.close())
  requests.start()
  lifecycle.started(() => requests.close())
  await grants.start((principalId, connection) => sessions.grantsChanged(principalId, connection))
  lifecycle.started(() => grants.close())
  return {
    connections,
    identities,
    audit,
    events,
    grants,
    recordings,
    requests,
    tokens,
    sessions,
    standing,
    cancels,
    definitions,
    view,
    policy,
    replica,
  }
}
