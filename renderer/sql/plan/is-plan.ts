import type { ResultColumn } from '../../../shared/rpc/contract.ts'

/** In which form a result is a plan, whoever asked for it: JSON can be drawn, all else is read. Undefined where it is none. */
export function planForm(columns: readonly Pick<ResultColumn, 'name' | 'type'>[]): 'json' | 'text' | undefined {
  const [first] = columns
  if (columns.length !== 1 || first?.name !== 'QUERY PLAN') return undefined
  if (first.type === 'json' || first.type === 'jsonb') return 'json'
  return first.type === 'text' || first.type === 'xml' ? 'text' : undefined
}
