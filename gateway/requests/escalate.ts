import type { Kysely } from 'kysely'
import type { Audit } from '../audit/audit.ts'
import { type Database, json } from '../store/database.ts'
import { dueEscalations } from './rows.ts'
import { auditDetail, type RequestStore } from './store.ts'

export interface EscalationOptions {
  db: Kysely<Database>
  audit: Audit
  stored: RequestStore
  clock: { now(): Date }
}

/** Asks further groups about requests that nobody has answered for as long as policy says. */
export class Escalation {
  readonly #options: EscalationOptions

  constructor(options: EscalationOptions) {
    this.#options = options
  }

  /** Asks whoever is due. Of several replicas one does: the row is held meanwhile. */
  async ask(): Promise<void> {
    const { db, clock } = this.#options
    const waiting = await db
      .selectFrom('requests')
      .select(['id', 'approval', 'escalated', 'created_at'])
      .where('state', '=', 'pending')
      .execute()
    for (const row of waiting) if (dueEscalations(row, clock.now()).length > 0) await this.#escalate(row.id)
  }

  async #escalate(id: string): Promise<void> {
    const { audit, clock, stored } = this.#options
    await audit.within(async (trx, append) => {
      const row = await trx
        .selectFrom('requests')
        .selectAll()
        .where('id', '=', id)
        .where('state', '=', 'pending')
        .forUpdate()
        .executeTakeFirst()
      const groups = row === undefined ? [] : dueEscalations(row, clock.now())
      if (row === undefined || groups.length === 0) return
      const escalated = [...new Set([...row.escalated, ...groups])]
      await trx
        .updateTable('requests')
        .set({ escalated: json(escalated) })
        .where('id', '=', id)
        .execute()
      const asked = { ...row, escalated }
      await append({
        actor: 'gateway',
        action: 'request.escalate',
        subject: id,
        detail: { ...auditDetail(asked), groups },
      })
      await stored.publish(trx, asked, { kind: 'escalated', groups })
    })
  }
}
