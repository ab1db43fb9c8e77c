import type { ResultColumn } from '../../../shared/rpc/contract.ts'

/** Whether a result is a plan in JSON, whoever asked for it. */
export function isPlan(columns: readonly Pick<ResultColumn, 'name' | 'type'>[]): boolean {
  const [first] = columns
  return columns.length === 1 && first?.name === 'QUERY PLAN' && (first.type === 'json' || first.type === 'jsonb')
}
