import { type Kysely, sql } from 'kysely'
import type { RequestState } from '../../shared/api/models.ts'
import type { Database } from '../store/database.ts'
import type { RequestRow } from './rows.ts'
import { type Onlooker, visibleTo } from './visible.ts'

export interface HistoryFilter {
  person?: string | undefined
  connection?: string | undefined
  state?: RequestState | undefined
  rule?: string | undefined
  kind?: 'once' | 'grant' | undefined
  breakGlass?: 'all' | 'open' | undefined
  /** ISO 8601. */
  from?: string | undefined
  to?: string | undefined
  text?: string | undefined
  before?: string | undefined
  limit: number
}

/** One page of what somebody may see, newest first, and the id to go on from. Nothing is ever deleted. */
export async function readHistory(
  db: Kysely<Database>,
  onlooker: Onlooker,
  filter: HistoryFilter,
): Promise<{ rows: RequestRow[]; next?: string }> {
  const { person, connection, state, rule, kind, breakGlass, from, to, text, before, limit } = filter
  const like = `%${(text ?? '').replaceAll(/[\\%_]/g, (special) => `\\${special}`)}%`
  const rows = await db
    .selectFrom('requests')
    .selectAll()
    .where(visibleTo(onlooker))
    .$if(person !== undefined, (query) => query.where('requester_id', '=', person ?? ''))
    .$if(connection !== undefined, (query) => query.where('connection_name', '=', connection ?? ''))
    .$if(state !== undefined, (query) => query.where('state', '=', state ?? 'pending'))
    .$if(rule !== undefined, (query) => query.where(sql<string>`policy ->> 'id'`, '=', rule ?? ''))
    .$if(kind !== undefined, (query) => query.where('kind', '=', kind ?? 'once'))
    .$if(breakGlass === 'all', (query) => query.where('broken_at', 'is not', null))
    .$if(breakGlass === 'open', (query) => query.where('after_state', '=', 'open'))
    .$if(from !== undefined, (query) => query.where('created_at', '>=', new Date(from ?? 0)))
    .$if(to !== undefined, (query) => query.where('created_at', '<=', new Date(to ?? 0)))
    .$if(text !== undefined && text !== '', (query) =>
      query.where((eb) =>
        eb.or([
          eb('reason', 'ilike', like),
          eb('id', 'ilike', like),
          eb('action', 'ilike', like),
          sql<boolean>`tables::text ilike ${like}`,
          sql<boolean>`actions::text ilike ${like}`,
        ]),
      ),
    )
    .$if(before !== undefined, (query) =>
      query.where(sql<boolean>`(created_at, id) < (select r.created_at, r.id from requests r where r.id = ${before})`),
    )
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit + 1)
    .execute()
  const page = rows.slice(0, limit)
  const last = page.at(-1)
  return rows.length > limit && last !== undefined ? { rows: page, next: last.id } : { rows: page }
}
