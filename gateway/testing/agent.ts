import type { Duplex } from 'node:stream'
import type { Decision, PolicyRef } from '../../shared/decision.ts'
import type {
  AgentSession,
  ConnectionAccess,
  SessionEnd,
  SessionPort,
  SessionSpec,
  SshFront,
} from '../../shared/link.ts'
import type { Principal } from '../../shared/principal.ts'
import type { LocalAgent } from '../services.ts'

/** For tests: a session that the fake agent was given. */
export interface TakenSession {
  spec: SessionSpec
  client: Duplex
  port: SessionPort
  grants: string[][]
  ended: string[]
}

/** What the fake agent does with a session's stream. Call `finish` when both sides are closed. */
export type Serve = (session: TakenSession, finish: (end: SessionEnd) => void) => void

/**
 * For tests of the gateway's side of the link: policy is `rule`, and a session is whatever `serve` makes of it
 * (unless told otherwise: begins at once, sends back what comes).
 */
export interface TestAgent extends LocalAgent {
  rule: (principal: Principal, action: string, connection: string, mfa: boolean) => Decision
  accessRule: (principal: Principal) => ConnectionAccess
  serve: Serve
  /** Sessions do not react when they are told to end. */
  deaf: boolean
  /** Whether its sessions hold every cancel key. */
  holdsKeys: boolean
  readonly taken: TakenSession[]
  readonly cancels: { processId: number; digest: string }[]
  /** What it was told of changed definitions. */
  readonly definitions: string[]
  ssh: (client: Duplex, front: SshFront) => void
}

export const allow: Decision = { verdict: 'allow', policies: [] }
export function block(id: string): Decision {
  return { verdict: 'block', policy: policy(id) }
}
export function hold(id: string, group: string, count = 1, windowSeconds = 1_800): Decision {
  return { verdict: 'hold', policy: policy(id), approval: { group, count, windowSeconds, notify: [] } }
}
export function policy(id: string): PolicyRef {
  return { id, reason: `The rule ${id} says so.` }
}

/** Begins at once and sends back whatever comes, with back-pressure. */
export const echo: Serve = ({ client, port }, finish) => {
  port.started({ user: 'app' })
  client.pipe(client)
  client.once('close', () => finish({ reason: 'The client left.', bytesIn: 0, bytesOut: 0 }))
}

export function testAgent(): TestAgent {
  const taken: TakenSession[] = []
  const cancels: { processId: number; digest: string }[] = []
  const definitions: string[] = []
  const unused = () => Promise.reject(new Error('not part of this test'))
  const agent: TestAgent = {
    rule: () => allow,
    accessRule: () => ({ connect: allow, actions: [], dataClasses: [] }),
    serve: echo,
    deaf: false,
    holdsKeys: true,
    taken,
    cancels,
    definitions,
    ssh: (client) => client.destroy(),
    sshHostKey: 'SHA256:test',
    lending: (accepted) => accepted,
    rdpCertificate: Array(32).fill('AA').join(':'),
    pushPolicy: () => Promise.resolve({ ok: true, version: 'test' }),
    open: (spec, client, port) => agentSession(agent, { spec, client, port, grants: [], ended: [] }),
    openSsh: (client, front) => agent.ssh(client, front),
    cancelPostgres: (processId, digest) => {
      cancels.push({ processId, digest: Buffer.from(digest).toString('hex') })
      return agent.holdsKeys
    },
    definitionsChanging: ({ id }) => void definitions.push(`${id} changes`),
    definitionsChanged: (change) => void definitions.push(`${change?.id ?? 'something'} changed`),
    explain: unused,
    schema: unused,
    rows: () => Promise.resolve({ ok: true, rows: 7, ms: 1 }),
    access: (spec) => agent.accessRule(spec.principal),
    decide: (principal, action, connection, { mfa }) => agent.rule(principal, action, connection.name, mfa),
    probe: () => Promise.resolve(true),
    close: () => Promise.resolve(),
  }
  return agent
}

export function agentSession(agent: TestAgent, session: TakenSession): AgentSession {
  agent.taken.push(session)
  const { promise: done, resolve } = Promise.withResolvers<SessionEnd>()
  agent.serve(session, resolve)
  return {
    end: (reason) => {
      session.ended.push(reason)
      if (agent.deaf) return
      session.client.end()
      resolve({ reason, bytesIn: 0, bytesOut: 0 })
    },
    setGrants: (grants) => session.grants.push(grants.map((grant) => grant.id)),
    done,
  }
}
