import type { Kysely, Selectable } from 'kysely'
import type { Purpose, Session } from '../../shared/api/models.ts'
import type { ConnectionRef } from '../../shared/connection.ts'
import type { Caller } from '../api/context.ts'
import { everyConnection } from '../connections/connections.ts'
import type { Connections, LocalAgent } from '../services.ts'
import type { Database } from '../store/database.ts'
import type { Sessions } from './registry.ts'

export type SessionRow = Selectable<Database['sessions']>

export interface SessionViewOptions {
  db: Kysely<Database>
  agent: Pick<LocalAgent, 'decide'>
  connections: Connections
  sessions: Pick<Sessions, 'get'>
}

export interface SessionFilter {
  state?: 'live' | 'ended' | undefined
  connection?: string | undefined
  principal?: string | undefined
  purpose?: Purpose | undefined
  limit: number
}

/**
 * Sessions as one caller may see them: their own, and those on connections where policy lets them replay or kill.
 * Their own they may always replay and end: it shows no more than they saw then.
 */
export class SessionView {
  readonly #options: SessionViewOptions

  constructor(options: SessionViewOptions) {
    this.#options = options
  }

  /** Newest first. */
  async list(caller: Caller, filter: SessionFilter): Promise<Session[]> {
    const { db, connections } = this.#options
    const names = (await everyConnection(db, connections))
      .filter((connection) => this.#may(caller, 'replay', connection) || this.#may(caller, 'kill', connection))
      .map((connection) => connection.name)
    const rows = await db
      .selectFrom('sessions')
      .selectAll()
      .where('state', '<>', 'opening')
      .where((eb) =>
        eb.or([
          eb('principal_id', '=', caller.principal.id),
          ...(names.length === 0 ? [] : [eb('connection_name', 'in', names)]),
        ]),
      )
      .$if(filter.state !== undefined, (query) => query.where('state', '=', filter.state ?? 'live'))
      .$if(filter.connection !== undefined, (query) => query.where('connection_name', '=', filter.connection ?? ''))
      .$if(filter.principal !== undefined, (query) => query.where('principal_id', '=', filter.principal ?? ''))
      .$if(filter.purpose !== undefined, (query) => query.where('purpose', '=', filter.purpose ?? 'work'))
      .orderBy('started_at', 'desc')
      .limit(filter.limit)
      .execute()
    return rows.map((row) => this.show(caller, row)).filter((session) => session !== undefined)
  }

  /** Reads a session once, to be shown to many: what each may see of it is decided for each. */
  async snapshot(id: string): Promise<(caller: Caller) => Session | undefined> {
    const row = await this.row(id)
    return (caller) => (row === undefined ? undefined : this.show(caller, row))
  }

  /** Undefined for what does not exist and for what is not the caller's to see alike. */
  async find(caller: Caller, id: string): Promise<Session | undefined> {
    const row = await this.row(id)
    return row && this.show(caller, row)
  }

  async row(id: string): Promise<SessionRow | undefined> {
    return this.#options.db
      .selectFrom('sessions')
      .selectAll()
      .where('id', '=', id)
      .where('state', '<>', 'opening')
      .executeTakeFirst()
  }

  show(caller: Caller, row: SessionRow): Session | undefined {
    const own = row.principal_id === caller.principal.id
    const canReplay = own || this.#may(caller, 'replay', row.connection)
    const mayKill = own || this.#may(caller, 'kill', row.connection)
    if (!canReplay && !mayKill) return undefined
    const live = row.state === 'ended' ? undefined : this.#options.sessions.get(row.id)
    const { allowed, masked, granted, blocked, held } = live?.counts ?? row
    return {
      id: row.id,
      principal: row.principal,
      connection: row.connection,
      door: row.door,
      purpose: row.purpose,
      state: row.state === 'ended' ? 'ended' : 'live',
      startedAt: row.started_at.toISOString(),
      ...(row.ended_at === null ? {} : { endedAt: row.ended_at.toISOString() }),
      ...(row.end_reason === null ? {} : { endReason: row.end_reason }),
      sourceIp: row.source_ip,
      counts: { allowed, masked, granted, blocked, held },
      canKill: mayKill && row.state !== 'ended',
      canReplay,
    }
  }

  #may({ principal, sourceIp, mfa }: Caller, action: 'replay' | 'kill', connection: ConnectionRef): boolean {
    return this.#options.agent.decide(principal, action, connection, { sourceIp, mfa }).verdict === 'allow'
  }
}
