import { connect, createServer, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import pg from 'pg'
import type { Action } from '../../../../shared/actions.ts'
import { sqlstates } from '../../../../shared/annotation.ts'
import type { Decision } from '../../../../shared/decision.ts'
import type { HoldOutcome, HoldRequest } from '../../../../shared/link.ts'
import type { RecordingEvent } from '../../../../shared/recording.ts'
import type { DecisionRequest, InspectorPort, Sensitivity } from '../../port.ts'
import type { InspectorSession } from '../../session.ts'
import { createCancelRegistry } from '../cancels.ts'
import { type CatalogSource, createCatalogSource } from '../catalog/catalog.ts'
import { servePostgres } from '../session.ts'
import type { PostgresTarget } from '../start/tls.ts'

/** One person at one connection, in memory: what they may do can be changed while sessions run. */
export class TestPort implements InspectorPort {
  readonly sessionId = 'session'
  readonly principal = { kind: 'user' as const, id: 'ada', name: 'Ada', groups: ['engineers'] }
  readonly connection = { name: 'orders-db', kind: 'postgres' as const, environment: 'production' as const, tags: [] }
  annotations: 'machine' | 'text' = 'machine'
  epoch = 1
  readonly events: RecordingEvent[] = []
  readonly requests: DecisionRequest[] = []
  /** `schema.table.column` that are masked, keeping the last four characters. */
  masked = new Set(['public.customers.email', 'public.customers.ssn', 'public.customers.born'])
  /** Columns whose text is searched for e-mail addresses. */
  scanned = new Set<string>()
  /** What masked values of other types than text become. */
  others: 'null' | 'fixed' = 'null'
  /** What masked columns may be used for. */
  use: Sensitivity['use'] = 'lookup'
  readonly holds: { request: HoldRequest; settle(outcome: HoldOutcome): void }[] = []
  onHold: () => void = () => {}
  onRecord: (event: RecordingEvent) => Promise<void> | undefined = () => undefined
  rule: (request: DecisionRequest) => Decision = allow

  decide(request: DecisionRequest): Decision {
    this.requests.push(request)
    return this.rule(request)
  }

  sensitivity(schema: string, table: string, column: string): Sensitivity | undefined {
    const policy = { id: 'mask-pii', reason: 'Personal data is masked.' }
    const unmask = { verdict: 'masked' as const, policy }
    if (this.scanned.has(`${schema}.${table}.${column}`)) {
      return {
        dataClass: 'pii',
        unmask,
        use: 'any',
        derived: 'null',
        mask: (text) => text.replaceAll(/\w+@\w+\.\w+/g, '***'),
        scanned: [{ dataClass: 'pii', unmask }],
      }
    }
    if (!this.masked.has(`${schema}.${table}.${column}`)) return undefined
    return {
      dataClass: 'pii',
      unmask,
      others: this.others,
      use: this.use,
      derived: 'null',
      mask: (value) => `***${value.slice(-4)}`,
    }
  }

  classOf(schema: string, table: string, column: string): string | undefined {
    const found = this.sensitivity(schema, table, column)
    return found?.scanned === undefined ? found?.dataClass : undefined
  }

  classesIn(text: string): readonly string[] {
    return this.redact(text) === text ? [] : ['pii']
  }

  redact(text: string): string {
    return text.replaceAll(/\d{3}-\d{2}-\d{4}/g, '***')
  }

  textMasks(): [] {
    return []
  }

  recordMasks(): [] {
    return []
  }

  grant(): undefined {
    return undefined
  }

  elapsed(): number {
    return 0
  }

  record(event: RecordingEvent): Promise<void> | undefined {
    this.events.push(event)
    return this.onRecord(event)
  }

  hold(request: HoldRequest) {
    let settle: (outcome: HoldOutcome) => void = () => {}
    const outcome = new Promise<HoldOutcome>((resolve) => {
      settle = resolve
    })
    this.holds.push({ request, settle })
    this.onHold()
    const cancel = (): void => settle({ kind: 'cancelled' })
    return Promise.resolve({
      requestId: `r${this.holds.length}`,
      expiresAt: '2030-01-01T00:00:00.000Z',
      outcome,
      cancel,
    })
  }

  /** What other processes would be told. */
  changing: () => Promise<void> | undefined = () => undefined
  changed: () => void = () => {}

  started(): void {}

  /** Resolves when the next request is held. */
  nextHold(): Promise<void> {
    return new Promise((resolve) => {
      this.onHold = resolve
    })
  }
}

export const allow = (): Decision => ({ verdict: 'allow', policies: [{ id: 'all', reason: 'Everything is allowed.' }] })

export function block(...actions: Action[]) {
  return (request: DecisionRequest): Decision =>
    actions.includes(request.action)
      ? { verdict: 'block', policy: { id: 'no-writes', reason: 'Production is not written to.' } }
      : allow()
}

export function hold(...actions: Action[]) {
  const approval = { group: 'dba', count: 1, windowSeconds: 600, notify: [] }
  return (request: DecisionRequest): Decision =>
    actions.includes(request.action)
      ? { verdict: 'hold', policy: { id: 'ask-dba', reason: 'A DBA looks at this first.' }, approval }
      : allow()
}

export interface Door {
  port: number
  people: TestPort
  sessions: InspectorSession[]
  catalogs: CatalogSource
  /** What the target sent and what reached it, per session. */
  client(options?: pg.ClientConfig): Promise<pg.Client & { notices: pg.DatabaseError[]; timings: pg.DatabaseError[] }>
  close(): Promise<void>
}

/** A listener that puts an inspector between each client and the target. `wrap` may tamper with the client's stream. */
export async function openDoor(
  target: PostgresTarget,
  options: { wrap?(client: Socket): Duplex; dial?(): Promise<Duplex> } = {},
): Promise<Door> {
  const people = new TestPort()
  const catalogs = createCatalogSource()
  const cancels = createCancelRegistry()
  const sessions: InspectorSession[] = []
  const dial = options.dial ?? (() => dialTarget(target))
  const server = createServer((socket) => {
    socket.setNoDelay(true)
    const client = options.wrap?.(socket) ?? socket
    sessions.push(servePostgres({ client, dial, target, catalogs, cancels, port: people }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = address !== null && typeof address === 'object' ? address.port : 0
  const clients: pg.Client[] = []
  return {
    port,
    people,
    sessions,
    catalogs,
    async client(config = {}) {
      const client = new pg.Client({ host: '127.0.0.1', port, user: 'ada', database: 'orders-db', ...config })
      const notices: pg.DatabaseError[] = []
      // Said beside everything that completes, and heard apart.
      const timings: pg.DatabaseError[] = []
      client.on('notice', (notice) => {
        const said = notice as pg.DatabaseError
        if (said.code === sqlstates.timed) timings.push(said)
        else notices.push(said)
      })
      client.on('error', () => {})
      await client.connect()
      clients.push(client)
      return Object.assign(client, { notices, timings })
    },
    async close() {
      await Promise.all(clients.map((client) => client.end().catch(() => {})))
      for (const session of sessions) session.end('The test is over.')
      await Promise.all(sessions.map((session) => session.done))
      await catalogs.close()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

export function dialTarget(target: PostgresTarget): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: target.host, port: target.port, noDelay: true })
    socket.once('connect', () => {
      socket.off('error', reject)
      resolve(socket)
    })
    socket.once('error', reject)
  })
}
