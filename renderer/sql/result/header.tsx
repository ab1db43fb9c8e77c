import type { IHeaderParams } from 'ag-grid-community'
import type { ResultColumn } from '../../../shared/rpc/contract.ts'
import { Icon } from '../../decisions/icon.tsx'
import type { Arrangement } from './arrange-bar.tsx'

export interface HeaderActions {
  /** How the result is sorted now. */
  sort(): Arrangement['sort']
  menu(column: number, at: { x: number; y: number }): void
}

/** The column's name, with its menu; a lock and the policy where its values are masked. */
export function GridHeader({
  of: column,
  index,
  actions,
}: IHeaderParams & { of: ResultColumn; index: number; actions: HeaderActions }) {
  const { masked } = column
  const sorted = actions.sort().find((s) => s.column === index)?.direction
  const words = [
    column.name,
    masked === undefined ? column.type : `masked by ${masked.policyId}`,
    ...(sorted === undefined ? [] : [sorted === 'asc' ? 'sorted ascending' : 'sorted descending']),
  ]
  return (
    <button
      type="button"
      className="th"
      aria-haspopup="menu"
      title={masked === undefined ? `${column.name} ${column.type}` : `Masked by ${masked.policyId}. ${masked.reason}`}
      aria-label={words.join(', ')}
      onClick={(event) => {
        const box = event.currentTarget.getBoundingClientRect()
        actions.menu(index, { x: box.left, y: box.bottom + 4 })
      }}
    >
      {masked && <Icon name="lock" size={14} />}
      <span className="trunc">{column.name}</span>
      {sorted && <Icon name={sorted === 'asc' ? 'arrow-up' : 'arrow-down'} size={12} />}
    </button>
  )
}
