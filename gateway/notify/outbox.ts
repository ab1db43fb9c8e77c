import { type Kysely, sql, type Transaction } from 'kysely'
import type { TellChange } from '../requests/store.ts'
import { type Database, json } from '../store/database.ts'
import type { NotifyConfig } from './config.ts'
import { Message, messageOf } from './message.ts'
import { Destination, recipients } from './recipients.ts'

/** Puts what a change is told with into the outbox, within the change's own transaction: told exactly if it happened. */
export function tellThrough(config: NotifyConfig, clock: { now(): Date }): TellChange {
  return async (trx, row, change) => {
    const to = recipients(config, row, change)
    if (to.length === 0) return
    const message = json(messageOf(row, change, clock.now()))
    await insert(
      trx,
      to.map((destination) => ({ destination: json(destination), message })),
    )
  }
}

function insert(trx: Transaction<Database>, rows: { destination: string; message: string }[]): Promise<unknown> {
  return trx.insertInto('outbox').values(rows).execute()
}

export interface Letter {
  id: number
  attempts: number
  destination: Destination
  message: Message
}

/** Seconds for which whoever took a letter has it to themselves. */
const leaseSeconds = 60
const batch = 20

/** Takes what is due. Another replica, or this one after a crash, takes it again when it is not sent by the end of the lease. */
export async function takeDue(db: Kysely<Database>): Promise<Letter[]> {
  const rows = await db
    .updateTable('outbox')
    .set({
      next_at: sql<Date>`now() + ${leaseSeconds} * interval '1 second'`,
      attempts: sql<number>`attempts + 1`,
    })
    .where('id', 'in', (eb) =>
      eb
        .selectFrom('outbox')
        .select('id')
        .where('sent_at', 'is', null)
        .where('failed_at', 'is', null)
        .where('next_at', '<=', sql<Date>`now()`)
        .orderBy('id')
        .limit(batch)
        .forUpdate()
        .skipLocked(),
    )
    .returning(['id', 'attempts', 'destination', 'message'])
    .execute()
  return rows
    .map(({ id, attempts, destination, message }) => ({
      id,
      attempts,
      destination: Destination.parse(destination),
      message: Message.parse(message),
    }))
    .sort((a, b) => a.id - b.id)
}

export async function markSent(db: Kysely<Database>, id: number): Promise<void> {
  await db.updateTable('outbox').set({ sent_at: sql<Date>`now()`, error: null }).where('id', '=', id).execute()
}

/** `again`: seconds until the next attempt; undefined gives up. */
export async function markFailed(
  db: Kysely<Database>,
  id: number,
  error: string,
  again: number | undefined,
): Promise<void> {
  await db
    .updateTable('outbox')
    .set(
      again === undefined
        ? { failed_at: sql<Date>`now()`, error }
        : { next_at: sql<Date>`now() + ${again} * interval '1 second'`, error },
    )
    .where('id', '=', id)
    .execute()
}

/** Seconds until the next letter is due; undefined when none waits. */
export async function nextDue(db: Kysely<Database>): Promise<number | undefined> {
  const row = await db
    .selectFrom('outbox')
    .select(sql<number | null>`extract(epoch from min(next_at) - now())::float8`.as('wait'))
    .where('sent_at', 'is', null)
    .where('failed_at', 'is', null)
    .executeTakeFirst()
  return row?.wait ?? undefined
}

/** Removes what arrived, or was given up, more than 30 days ago. */
export async function sweepOutbox(db: Kysely<Database>): Promise<void> {
  await db
    .deleteFrom('outbox')
    .where((eb) => eb.or([eb('sent_at', 'is not', null), eb('failed_at', 'is not', null)]))
    .where('created_at', '<', sql<Date>`now() - interval '30 days'`)
    .execute()
}
