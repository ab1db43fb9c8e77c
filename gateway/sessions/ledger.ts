import { type Kysely, sql, type Transaction } from 'kysely'
import type { Session } from '../../shared/api/models.ts'
import type { SessionEnd, SessionSpec } from '../../shared/link.ts'
import type { Audit, AuditEntry } from '../audit/audit.ts'
import type { Events, NewEvent } from '../events/events.ts'
import type { RecordingSeal } from '../recordings/writer.ts'
import { Batches } from '../store/batches.ts'
import { type Database, json } from '../store/database.ts'

export interface LedgerSession {
  id: string
  spec: SessionSpec
  door: Session['door']
  startedAt: Date | undefined
  counts: Session['counts']
}

type Entry =
  | { kind: 'begun'; session: LedgerSession }
  | { kind: 'ended'; session: LedgerSession; end: SessionEnd; seal: RecordingSeal | undefined }

/** What the store keeps of sessions: rows, the audit records of beginnings and ends, and the events that tell of both. */
export class SessionLedger {
  readonly #batches: Batches<Entry>
  readonly #replica: string

  constructor(options: { audit: Audit; events: Events; replica: string }) {
    const { audit, events } = options
    this.#replica = options.replica
    this.#batches = new Batches((entries) =>
      audit.within(async (trx, append) => {
        const begun = entries.flatMap((entry) => (entry.kind === 'begun' ? [entry.session] : []))
        if (begun.length > 0) await this.#open(trx, begun)
        const ended = entries.flatMap((entry) => (entry.kind === 'ended' ? [closing(entry)] : []))
        if (ended.length > 0) await closeRows(trx, ended)
        await append(...entries.map(auditEntry))
        await events.publishAll(
          trx,
          entries.map(({ session }) => eventOf(session)),
        )
      }),
    )
  }

  /** Resolves once the session is listed and audited as open. */
  begun(session: LedgerSession): Promise<void> {
    return this.#batches.add({ kind: 'begun', session })
  }

  /** Resolves once its end is stored. */
  ended(session: LedgerSession, end: SessionEnd, seal: RecordingSeal | undefined): Promise<void> {
    return this.#batches.add({ kind: 'ended', session, end, seal })
  }

  async #open(trx: Transaction<Database>, sessions: readonly LedgerSession[]): Promise<void> {
    await trx
      .insertInto('sessions')
      .values(
        sessions.map(({ id, spec: { principal, connection, annotations, context }, door, startedAt }) => ({
          id,
          principal_id: principal.id,
          principal: json(principal),
          connection_name: connection.name,
          connection: json(connection),
          door,
          annotations,
          state: 'live' as const,
          replica: this.#replica,
          source_ip: context.sourceIp,
          mfa: context.mfa,
          started_at: startedAt ?? new Date(),
        })),
      )
      .execute()
  }
}

/** The end of a session, as its row has it. */
export interface Closing {
  id: string
  reason: string
  counts?: Session['counts']
  bytesIn?: number
  bytesOut?: number
}

/** Notes ends; a session that has one keeps it. What is not known stays as it was. */
export async function closeRows(db: Kysely<Database>, ended: readonly Closing[]): Promise<void> {
  const rows = ended.map(({ id, reason, counts, bytesIn, bytesOut }) => ({
    id,
    reason,
    ...counts,
    bytes_in: bytesIn,
    bytes_out: bytesOut,
  }))
  await sql`
    update sessions as s set
      state = 'ended', ended_at = ${new Date()}, end_reason = e.reason,
      allowed = coalesce(e.allowed, s.allowed), masked = coalesce(e.masked, s.masked),
      granted = coalesce(e.granted, s.granted), blocked = coalesce(e.blocked, s.blocked), held = coalesce(e.held, s.held),
      bytes_in = coalesce(e.bytes_in, s.bytes_in), bytes_out = coalesce(e.bytes_out, s.bytes_out)
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as e(
      id text, reason text, allowed int, masked int, granted int, blocked int, held int, bytes_in bigint, bytes_out bigint)
    where s.id = e.id and s.state <> 'ended'
  `.execute(db)
}

function closing({ session, end }: Extract<Entry, { kind: 'ended' }>): Closing {
  const { bytesIn, bytesOut, reason } = end
  return { id: session.id, reason, counts: { ...session.counts }, bytesIn, bytesOut }
}

function auditEntry(entry: Entry): AuditEntry {
  const { id, spec, door } = entry.session
  const connection = spec.connection.name
  const who = { actor: spec.principal.id, subject: id }
  switch (entry.kind) {
    case 'begun':
      return { ...who, action: 'session.open', detail: { connection, door, sourceIp: spec.context.sourceIp } }
    case 'ended': {
      const detail = { connection, reason: entry.end.reason, recording: entry.seal ?? null }
      return { ...who, action: 'session.end', detail }
    }
    default:
      return entry satisfies never
  }
}

function eventOf({ id, spec }: LedgerSession): NewEvent {
  return {
    payload: { type: 'session', id },
    audience: { principals: [spec.principal.id], sessionsOn: spec.connection.name },
  }
}
