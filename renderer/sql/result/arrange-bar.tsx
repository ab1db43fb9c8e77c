import { useEffect, useRef, useState } from 'react'
import type { ResultColumn } from '../../../shared/rpc/contract.ts'
import { Icon } from '../../decisions/icon.tsx'
import { Button, IconButton } from '../../theme/controls.tsx'
import type { View } from '../run-state.ts'
import { columnLabel, type Filter, filterWords, maskedReason, type Operator, operators, takesValue } from './fields.ts'

export type Arrangement = Pick<View, 'sort' | 'filters'>

/** Filters and order of a result, and that they run the statement again. */
export function ArrangeBar({
  columns,
  view,
  busy,
  problem,
  asked,
  onChange,
  onClose,
}: {
  columns: readonly ResultColumn[]
  view: Arrangement
  busy: boolean
  problem: string | undefined
  /** It was asked for, to filter by a column; anew each time. */
  asked: { column?: number } | undefined
  onChange(next: Arrangement): void
  onClose(): void
}) {
  const open = columns.flatMap((column, i) => (column.masked === undefined ? [i] : []))
  const [column, setColumn] = useState(open[0] ?? 0)
  const [operator, setOperator] = useState<Operator>('contains')
  const [value, setValue] = useState('')
  // One that could not be had stays to be changed.
  const had = view.filters.length
  // biome-ignore lint/correctness/useExhaustiveDependencies: what was written has become a filter
  useEffect(() => setValue(''), [had])
  const field = useRef<HTMLInputElement>(null)
  const condition = useRef<HTMLSelectElement>(null)
  useEffect(() => {
    if (asked === undefined) return
    if (asked.column !== undefined) setColumn(asked.column)
    const to = field.current ?? condition.current
    to?.focus()
  }, [asked])
  const add = () => {
    const filter: Filter = { column, operator, value: takesValue(operator) ? value : '' }
    onChange({ ...view, filters: [...view.filters, filter] })
  }
  return (
    <search className="arrange" aria-label="Filter and order">
      <form
        className="arrange__form"
        onKeyDown={(event) => {
          if (event.key === 'Escape') onClose()
        }}
        onSubmit={(event) => {
          event.preventDefault()
          if (!busy && open.length > 0) add()
        }}
      >
        <Icon name="filter" size={14} />
        <select
          className="arrange__select"
          aria-label="Column"
          value={column}
          onChange={(event) => setColumn(Number(event.currentTarget.value))}
        >
          {columns.map((c, i) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a result may have two columns of one name
            <option key={i} value={i} disabled={c.masked !== undefined} title={maskedReason(c)}>
              {columnLabel(columns, i)}
              {c.masked !== undefined && ' (masked)'}
            </option>
          ))}
        </select>
        <select
          className="arrange__select"
          aria-label="Condition"
          ref={condition}
          value={operator}
          onChange={(event) => setOperator(operatorOf(event.currentTarget.value))}
        >
          {Object.entries(operators).map(([key, words]) => (
            <option key={key} value={key}>
              {words}
            </option>
          ))}
        </select>
        {takesValue(operator) && (
          <span className="input arrange__value">
            <input
              aria-label="Value"
              value={value}
              ref={field}
              onChange={(event) => setValue(event.currentTarget.value)}
            />
          </span>
        )}
        <Button size="sm" type="submit" disabled={busy}>
          Filter
        </Button>
        {view.filters.map((filter, i) => (
          <Chip
            // biome-ignore lint/suspicious/noArrayIndexKey: two filters may be alike
            key={i}
            words={filterWords(filter, columns)}
            onRemove={() => onChange({ ...view, filters: view.filters.filter((_, at) => at !== i) })}
          />
        ))}
        {view.sort.map(({ column: by, direction }) => (
          <Chip
            key={by}
            words={`${direction === 'asc' ? '↑' : '↓'} ${columnLabel(columns, by)}`}
            onRemove={() => onChange({ ...view, sort: view.sort.filter((s) => s.column !== by) })}
          />
        ))}
        <span className="right row arrange__end">
          <span className="t3 trunc">Runs the statement again, as a sub-query</span>
          <IconButton icon="x" label="Hide filter" type="button" onClick={onClose} />
        </span>
      </form>
      {problem !== undefined && (
        <p className="err arrange__err" role="alert">
          {problem}
        </p>
      )}
    </search>
  )
}

function operatorOf(text: string): Operator {
  for (const key of Object.keys(operators)) if (key === text && isOperator(key)) return key
  return 'contains'
}

function isOperator(key: string): key is Operator {
  return key in operators
}

function Chip({ words, onRemove }: { words: string; onRemove(): void }) {
  return (
    <span className="chip chip--quiet arrange__chip">
      {words}
      <IconButton icon="x" size={12} label={`Remove ${words}`} type="button" onClick={onRemove} />
    </span>
  )
}
