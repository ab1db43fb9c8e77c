import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { AgentLink, AgentSession, SessionEnd, SessionPort, SessionSpec, SshFront, Target } from '../shared/link.ts'
import { accessOf } from './access.ts'
import { SessionPolicy } from './decide.ts'
import { dial, probe } from './dial.ts'
import { explainClosed, explainCommand, explainSql, schemaOf } from './explain.ts'
import { createBeginnings } from './inspect/postgres/beginning.ts'
import { createCancelRegistry } from './inspect/postgres/cancels.ts'
import { createCatalogSource } from './inspect/postgres/catalog/catalog.ts'
import { loadParser } from './inspect/postgres/parser.ts'
import { servePostgres } from './inspect/postgres/session.ts'
import { createStudio } from './inspect/rdp/picture/studio.ts'
import { serveRdp } from './inspect/rdp/session.ts'
import type { InspectorSession } from './inspect/session.ts'
import { type SshEntry, serveSshFront } from './inspect/ssh/front.ts'
import { serveSsh } from './inspect/ssh/session.ts'
import { loadKeys } from './keys.ts'
import { acceptLender } from './lender.ts'
import type { Log } from './log.ts'
import { Policies } from './policies.ts'
import { rowsOf } from './rows.ts'
import { connectRefusal, inspectorPort, type WatchedSession, watch } from './session.ts'

export interface AgentOptions {
  /** The agent's own keys are kept here, readable by nobody else. */
  dataDir: string
  log: Log
}

export interface Agent extends AgentLink<Duplex> {
  /** The SSH inspector's host key, `SHA256:…`. */
  readonly sshHostKey: string
  /** SHA-256 of the RDP inspector's certificate, `AA:BB:…`. */
  readonly rdpCertificate: string
  /** See `acceptLender`: for connections of PostgreSQL clients. */
  lending(accepted: Socket): Socket
}

/** How long sessions get to tell their people why they end, when the agent stops. */
const closeGraceMs = 5_000

/**
 * An agent: dials targets, and puts an inspector between each client and its target. It decides by the policy set that the
 * gateway pushes; until there is one, everything is blocked. Rejects when its keys can't be read or made.
 */
export async function createAgent({ dataDir, log }: AgentOptions): Promise<Agent> {
  const [keys] = await Promise.all([loadKeys(dataDir), loadParser()])
  const policies = new Policies()
  const catalogs = createCatalogSource()
  const beginnings = createBeginnings()
  const cancels = createCancelRegistry()
  const studio = createStudio()
  const sessions = new Set<WatchedSession>()
  let closed = false

  const policyOf = (spec: Omit<SessionSpec, 'target'>): SessionPolicy => new SessionPolicy(spec, policies, keys.hash)

  const adopt = (spec: SessionSpec, inspector: InspectorSession, policy: SessionPolicy): AgentSession => {
    const session = watch(inspector, policy, () => policies.set?.dependsOnTime('connect') === true)
    sessions.add(session)
    void session.done.then(({ reason }) => {
      sessions.delete(session)
      log.info({ session: spec.sessionId, connection: spec.connection.name, reason }, 'session ended')
    })
    return session
  }

  const serve = (spec: SessionSpec, client: Duplex, policy: SessionPolicy, gateway: SessionPort): InspectorSession => {
    const { target } = spec
    const port = inspectorPort(spec, policy, gateway)
    const dial = dialer(target, policy)
    switch (target.kind) {
      case 'postgres':
        return servePostgres({ client, dial, target, catalogs, cancels, port })
      case 'ssh':
        return serveSsh({ client, dial, target, hostKey: keys.hostKey, port })
      case 'rdp':
        return serveRdp({ client, dial, target, identity: keys.rdp, credential: spec.rdp, studio, port })
    }
  }

  return {
    sshHostKey: keys.hostKeyFingerprint,
    lending: acceptLender,
    rdpCertificate: keys.rdp.fingerprint,

    async pushPolicy(files) {
      const load = await policies.push(files)
      if (load.ok) {
        log.info({ version: load.version }, 'policy in force')
        for (const session of sessions) session.review()
      } else {
        const now =
          policies.set === undefined ? 'nothing is allowed until there is one' : 'the last good one stays in force'
        log.error({ problems: load.problems }, `policy refused; ${now}`)
      }
      return load
    },

    open(spec, client, port) {
      if (closed) return refuse(client, 'The agent is stopping.')
      const policy = policyOf(spec)
      return adopt(spec, serve(spec, client, policy, port), policy)
    },

    openSsh(client, front) {
      if (closed) {
        client.destroy()
        return
      }
      const authenticate = (user: string, password: string): Promise<SshEntry> =>
        enter(front, user, password, policyOf, adopt)
      serveSshFront({ client, hostKey: keys.hostKey, authenticate })
    },

    cancelPostgres: (processId, digest) => cancels.cancel(processId, digest),
    definitionsChanging: (change) => catalogs.changing(change),
    definitionsChanged: (change) => catalogs.changed(change),

    async explain(spec, text) {
      const policy = policyOf(spec)
      const { target } = spec
      const connect = policy.decide({ action: 'connect' })
      if (connect.verdict !== 'allow') return explainClosed(text, connect)
      switch (target.kind) {
        case 'postgres': {
          const catalog = catalogs.get(target)
          const [beginning] = await Promise.all([beginnings.of(target), catalog.ready()])
          const port = inspectorPort(spec, policy, nobody)
          catalog.keepFresh()
          return explainSql(text, { policy, port, catalog, beginning, account: target.user })
        }
        case 'ssh':
          return explainCommand(text, policy)
        case 'rdp':
          return { statements: [] }
      }
    },

    async schema(spec) {
      const policy = policyOf(spec)
      const refusal = connectRefusal(policy.decide({ action: 'connect' }))
      if (refusal !== undefined) throw new Error(refusal)
      if (spec.target.kind !== 'postgres') return []
      return schemaOf(await catalogs.get(spec.target).refresh(), policy)
    },

    async rows(target, request) {
      if (target.kind !== 'postgres') return { ok: false, reason: 'There are no rows to count.' }
      try {
        return await rowsOf(target, request, await catalogs.get(target).ready())
      } catch (error) {
        log.warn({ err: error }, 'rows can’t be estimated')
        return { ok: false, reason: 'The target did not answer.', passing: true }
      }
    },

    access: (spec) => accessOf(spec, policies, Date.now),

    decide: (principal, action, connection, context) =>
      policies.decide(principal, action, connection, context, [], Date.now()),

    probe: (target, timeoutMs) => probe(target, timeoutMs),

    async close() {
      closed = true
      const ending = [...sessions].map((session) => {
        session.end('The agent is stopping. Connect again in a moment.')
        return session.done
      })
      await Promise.race([Promise.all(ending), new Promise((resolve) => setTimeout(resolve, closeGraceMs).unref())])
      await Promise.all([catalogs.close(), studio.close()])
    },
  }
}

/** Nobody reaches a target whom the policy does not let connect at that moment, whatever the session is about to be told. */
function dialer(target: Target, policy: SessionPolicy): () => Promise<Duplex> {
  return async () => {
    const refusal = connectRefusal(policy.decide({ action: 'connect' }))
    if (refusal !== undefined) throw new Error(refusal)
    return dial(target)
  }
}

/** Asks the gateway who is at a raw SSH connection, and checks what it says against the policy here. */
async function enter(
  front: SshFront,
  user: string,
  password: string,
  policyOf: (spec: SessionSpec) => SessionPolicy,
  adopt: (spec: SessionSpec, inspector: InspectorSession, policy: SessionPolicy) => AgentSession,
): Promise<SshEntry> {
  const answer = await front.authenticate(user, password)
  if (!answer.ok) return answer
  const { spec, port } = answer
  const { target } = spec
  if (target.kind !== 'ssh') return { ok: false, reason: `${spec.connection.name} does not speak SSH.` }
  const policy = policyOf(spec)
  const refusal = connectRefusal(policy.decide({ action: 'connect' }))
  if (refusal !== undefined) return { ok: false, reason: refusal }
  return {
    ok: true,
    open: () => ({ dial: dialer(target, policy), target, port: inspectorPort(spec, policy, port) }),
    opened: (inspector) => answer.opened(adopt(spec, inspector, policy)),
  }
}

/** Behind what is only explained: nothing is recorded, and nobody is asked. */
const nobody: SessionPort = {
  record: () => undefined,
  hold: () => Promise.reject(new Error('nobody is asked about what does not run')),
  started: () => undefined,
}

/** A session that never began. */
function refuse(client: Duplex, reason: string): AgentSession {
  client.destroy()
  const done: Promise<SessionEnd> = Promise.resolve({ reason, bytesOut: 0, bytesIn: 0 })
  return { end: () => undefined, setGrants: () => undefined, done }
}
