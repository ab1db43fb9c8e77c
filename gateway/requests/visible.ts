import { type Expression, type ExpressionBuilder, type SqlBool, sql } from 'kysely'
import type { Principal } from '../../shared/principal.ts'
import type { Database } from '../store/database.ts'

/** SQL for `RequestView.maySee`: what somebody asked for, and what their groups may decide. */
export function visibleTo(principal: Principal, scope: 'mine' | 'review' | 'all' = 'all') {
  return (eb: ExpressionBuilder<Database, 'requests'>): Expression<SqlBool> => {
    const { id, groups } = principal
    const mine = eb('requests.requester_id', '=', id)
    if (scope === 'mine') return mine
    const review = eb.or([
      eb(sql<string>`requests.approval ->> 'group'`, '=', sql<string>`any(${groups}::text[])`),
      sql<SqlBool>`requests.escalated ?| ${groups}::text[]`,
    ])
    return scope === 'review' ? eb.and([review, eb.not(mine)]) : eb.or([mine, review])
  }
}
