import type { Session } from '../../shared/api/models.ts'
import type { SessionEnd, SessionSpec } from '../../shared/link.ts'
import type { Audit, AuditEntry } from '../audit/audit.ts'
import type { ChainPosition } from '../audit/chain.ts'
import { type Events, eventRow, type NewEvent } from '../events/events.ts'
import type { RecordingSeal } from '../recordings/writer.ts'
import { Batches } from '../store/batches.ts'
import { json } from '../store/database.ts'
import type { RunPrepared } from '../store/store.ts'
import { storable } from '../text.ts'

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

/** An end waits this long for company: nobody waits for it, and what begins takes it along. */
const endPatienceMs = 20

/** Readers of events are woken this often at most: each time costs more than it takes to store what they are woken for. */
const hintEveryMs = 50

/** See the migration of this name. */
const recordSessions = {
  name: 'record_sessions',
  text: 'select newest_seq as seq, newest_hash as hash from record_sessions($1, $2, $3, $4, $5, $6)',
}

/** What the store keeps of sessions: rows, the audit records of beginnings and ends, and the events that tell of both. */
export class SessionLedger {
  readonly #batches: Batches<Entry>
  readonly #replica: string
  readonly #events: Pick<Events, 'hint'>
  #hintedAt = Number.NEGATIVE_INFINITY
  /** Of a hint that is due. */
  #hint: NodeJS.Timeout | undefined

  constructor(options: { audit: Audit; events: Pick<Events, 'hint'>; prepared: RunPrepared; replica: string }) {
    const { audit, prepared } = options
    this.#replica = options.replica
    this.#events = options.events
    this.#batches = new Batches(async (entries) => {
      const silent = this.#hint !== undefined || performance.now() - this.#hintedAt < hintEveryMs
      const opened = entries.flatMap((entry) => (entry.kind === 'begun' ? [this.#row(entry.session)] : []))
      const closed = entries.flatMap((entry) => (entry.kind === 'ended' ? [closedRow(entry)] : []))
      const told = entries.map(({ session }) => ({ ...eventRow(eventOf(session)), ...(silent ? { silent } : {}) }))
      await audit.inOne(
        entries.map((entry) => auditEntry(entry, this.#replica)),
        async (after, records) => {
          const rows = [records, opened, closed, told].map(json)
          const [newest] = await prepared<ChainPosition>(recordSessions, [after.seq, after.hash, ...rows])
          if (newest === undefined) throw new Error('The store does not say what it stored.')
          return newest
        },
      )
      if (silent) this.#hintSoon()
      else this.#hintedAt = performance.now()
    })
  }

  /** Resolves once the session is listed and audited as open. */
  begun(session: LedgerSession): Promise<void> {
    return this.#batches.add({ kind: 'begun', session })
  }

  /** Resolves once its end is stored. */
  ended(session: LedgerSession, end: SessionEnd, seal: RecordingSeal | undefined): Promise<void> {
    return this.#batches.add({ kind: 'ended', session, end, seal }, endPatienceMs)
  }

  /** Of what was stored in silence, once for all that comes by then. */
  #hintSoon(): void {
    this.#hint ??= setTimeout(() => {
      this.#hint = undefined
      this.#hintedAt = performance.now()
      this.#events.hint('session')
    }, hintEveryMs).unref()
  }

  #row({ id, spec, door, startedAt }: LedgerSession): object {
    const { principal, connection, annotations, purpose, context } = spec
    return {
      id,
      principal_id: principal.id,
      principal,
      connection_name: connection.name,
      connection,
      door,
      annotations,
      purpose: purpose ?? 'work',
      replica: this.#replica,
      source_ip: context.sourceIp,
      mfa: context.mfa,
      started_at: startedAt ?? new Date(),
    }
  }
}

function closedRow({ session, end }: Extract<Entry, { kind: 'ended' }>): object {
  const { bytesIn, bytesOut, reason } = end
  return {
    id: session.id,
    ended_at: new Date(),
    reason: storable(reason),
    ...session.counts,
    bytes_in: bytesIn,
    bytes_out: bytesOut,
  }
}

function auditEntry(entry: Entry, replica: string): AuditEntry {
  const { id, spec, door } = entry.session
  const connection = spec.connection.name
  const who = { actor: spec.principal.id, subject: id }
  switch (entry.kind) {
    case 'begun':
      return {
        ...who,
        action: 'session.open',
        detail: { connection, door, ...purposeOf(spec), sourceIp: spec.context.sourceIp },
      }
    case 'ended': {
      const detail = { connection, reason: entry.end.reason, recording: entry.seal ?? null, replica }
      return { ...who, action: 'session.end', detail }
    }
    default:
      return entry satisfies never
  }
}

function purposeOf({ purpose }: SessionSpec): { purpose?: 'catalog' } {
  return purpose === undefined ? {} : { purpose }
}

function eventOf({ id, spec }: LedgerSession): NewEvent {
  return {
    payload: { type: 'session', id },
    audience: { principals: [spec.principal.id], sessionsOn: spec.connection.name },
  }
}
