import type { OutputColumn, StatementAnalysis } from '../analysis.ts'
import type { Report } from './report.ts'

/** What a statement gives, besides what is on the report. */
export interface Result {
  outputs: readonly OutputColumn[] | null
  copyOut?: StatementAnalysis['copyOut']
  refers?: StatementAnalysis['refers']
}

export const nothing: Result = { outputs: null }

/** Takes over what another statement reads. Its action, writes and effects are the caller's to judge. */
export function include(inner: StatementAnalysis, report: Report): void {
  for (const table of inner.tables) report.tables.add(table)
  for (const name of inner.functions) report.functions.add(name)
  for (const oid of inner.followed ?? []) report.followed.add(oid)
  report.touch(new Set(inner.columns))
  report.runsCode ||= inner.code === true
  for (const [column, who] of inner.readers ?? []) report.reads(column, who)
  for (const use of inner.uses) report.use(new Set([use.column]), use.how)
  if (inner.missing !== undefined) report.misses(inner.missing)
  if (inner.doubt !== undefined) report.doubts(inner.doubt)
}
