import { type Expression, type ExpressionBuilder, type SqlBool, sql } from 'kysely'
import type { Database } from '../store/database.ts'

/** Whose requests are looked for, and where policy lets them review. */
export interface Onlooker {
  id: string
  groups: readonly string[]
  /** Names of the connections on which they may review. */
  reviewing: readonly string[]
}

/** SQL for `RequestView.maySee`: what somebody asked for, and what they may decide as members of a group that is asked. */
export function visibleTo(onlooker: Onlooker, scope: 'mine' | 'review' | 'all' = 'all') {
  return (eb: ExpressionBuilder<Database, 'requests'>): Expression<SqlBool> => {
    const { id, groups, reviewing } = onlooker
    const mine = eb('requests.requester_id', '=', id)
    if (scope === 'mine') return mine
    const review = eb.and([
      eb('requests.connection_name', '=', sql<string>`any(${reviewing}::text[])`),
      eb.or([
        eb(sql<string>`requests.approval ->> 'group'`, '=', sql<string>`any(${groups}::text[])`),
        sql<SqlBool>`requests.escalated ?| ${groups}::text[]`,
      ]),
    ])
    return scope === 'review' ? eb.and([review, eb.not(mine)]) : eb.or([mine, review])
  }
}
