import { type Kysely, sql } from 'kysely'
import { z } from 'zod'
import type { RequestMetrics } from '../../shared/api/models.ts'
import type { Database } from '../store/database.ts'
import { type Onlooker, visibleTo } from './visible.ts'

const Row = z.object({
  part: z.string(),
  asked: z.number(),
  approved: z.number(),
  denied: z.number(),
  expired: z.number(),
  cancelled: z.number(),
  pending: z.number(),
  automatic: z.number(),
  breakGlass: z.number(),
  medianSeconds: z.number().nullable(),
  p90Seconds: z.number().nullable(),
})
type Row = z.infer<typeof Row>

const parts = {
  total: sql<string>`''::text`,
  rule: sql<string>`policy ->> 'id'`,
  group: sql<string>`approval ->> 'group'`,
  day: sql<string>`to_char(created_at at time zone 'UTC', 'YYYY-MM-DD')`,
} as const

/** How requests went that were made from `from` to `to`, of those that somebody may see. */
export async function readMetrics(
  db: Kysely<Database>,
  onlooker: Onlooker,
  from: Date,
  to: Date,
): Promise<RequestMetrics> {
  const [total, rules, groups, days] = await Promise.all([
    shares(db, onlooker, from, to, 'total'),
    shares(db, onlooker, from, to, 'rule'),
    shares(db, onlooker, from, to, 'group'),
    shares(db, onlooker, from, to, 'day'),
  ])
  return {
    from: from.toISOString(),
    to: to.toISOString(),
    total: shareOf(total[0] ?? nothing),
    byRule: rules.map((row) => ({ policy: row.part, ...shareOf(row) })).sort((a, b) => b.asked - a.asked),
    byGroup: groups.map((row) => ({ group: row.part, ...shareOf(row) })).sort((a, b) => b.asked - a.asked),
    byDay: days.map((row) => ({ day: row.part, ...shareOf(row) })).sort((a, b) => (a.day < b.day ? -1 : 1)),
  }
}

async function shares(
  db: Kysely<Database>,
  onlooker: Onlooker,
  from: Date,
  to: Date,
  part: keyof typeof parts,
): Promise<Row[]> {
  const automatic = sql`exists (select from reviews v where v.request_id = requests.id and v.reviewer_id like 'policy:%')`
  // By people alone: rules and break-glass take no time, and what ran out was never decided.
  const byPeople = sql`state in ('approved', 'denied', 'revoked') and broken_at is null and not ${automatic}`
  const waited = sql`extract(epoch from decided_at - created_at)::float8`
  const counted = (condition: ReturnType<typeof sql>) => sql<number>`count(*) filter (where ${condition})`
  const quantile = (share: number) =>
    sql<number | null>`percentile_cont(${share}) within group (order by ${waited}) filter (where ${byPeople})`
  const rows = await db
    .selectFrom('requests')
    .where(visibleTo(onlooker))
    .where('created_at', '>=', from)
    .where('created_at', '<=', to)
    .select((eb) => [
      parts[part].as('part'),
      eb.fn.countAll<number>().as('asked'),
      counted(sql`state in ('approved', 'revoked')`).as('approved'),
      counted(sql`state = 'denied'`).as('denied'),
      counted(sql`state = 'expired'`).as('expired'),
      counted(sql`state = 'cancelled'`).as('cancelled'),
      counted(sql`state = 'pending'`).as('pending'),
      counted(automatic).as('automatic'),
      counted(sql`broken_at is not null`).as('breakGlass'),
      quantile(0.5).as('medianSeconds'),
      quantile(0.9).as('p90Seconds'),
    ])
    .groupBy(sql`1`)
    .execute()
  return z.array(Row).parse(rows)
}

const nothing: Row = {
  part: '',
  asked: 0,
  approved: 0,
  denied: 0,
  expired: 0,
  cancelled: 0,
  pending: 0,
  automatic: 0,
  breakGlass: 0,
  medianSeconds: null,
  p90Seconds: null,
}

function shareOf({ part: _, medianSeconds, p90Seconds, ...counts }: Row): RequestMetrics['total'] {
  return {
    ...counts,
    ...(medianSeconds === null ? {} : { medianSeconds }),
    ...(p90Seconds === null ? {} : { p90Seconds }),
  }
}
