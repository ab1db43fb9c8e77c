import { useInfiniteQuery } from '@tanstack/react-query'
import { useDeferredValue, useRef, useState } from 'react'
import type { RequestState } from '../../shared/api/models.ts'
import { useActions } from '../actions/use-actions.ts'
import { Icon } from '../decisions/icon.tsx'
import { useNow } from '../decisions/time.ts'
import { looks } from '../decisions/words.ts'
import { useRpc } from '../rpc/context.tsx'
import { problemOf } from '../rpc/problem.ts'
import { useConnections } from '../sidebar/connections.ts'
import { Button, Empty, Spinner } from '../theme/controls.tsx'
import { anyHistory, type HistoryFilter, historyInput } from './history-filter.ts'
import { ReviewRow } from './rows.tsx'

/** Every request that the person may see, also those long expired, page by page. */
export function History() {
  const { queries } = useRpc()
  const [filter, setFilter] = useState<HistoryFilter>(anyHistory)
  const asked = useDeferredValue(filter)
  const now = useNow(15_000)
  const pages = useInfiniteQuery(
    queries.gateway.requests.history.infiniteOptions({
      input: (before: string | undefined) => historyInput(asked, before),
      initialPageParam: undefined,
      getNextPageParam: (page) => page.next,
    }),
  )
  const found = pages.data?.pages.flatMap((page) => page.requests) ?? []
  return (
    <>
      <Filters filter={filter} onChange={setFilter} />
      <div className="side__bd">
        {pages.isPending && <Spinner label="Loading" />}
        {pages.error && <p className="err side__err">{problemOf(pages.error).message}</p>}
        {pages.data !== undefined &&
          found.length === 0 &&
          (asked === anyHistory ? (
            <Empty
              icon="clock"
              title="No requests yet"
              text="Each that you may see is kept here, also after it expires."
            />
          ) : (
            <Empty icon="search" title="Nothing fits" text="Requests are kept also after they expire.">
              <Button size="sm" onClick={() => setFilter(anyHistory)}>
                Show all
              </Button>
            </Empty>
          ))}
        <ul aria-label="History">
          {found.map((request) => (
            <li key={request.id}>
              <ReviewRow request={request} now={now} />
            </li>
          ))}
        </ul>
        {pages.hasNextPage && (
          <div className="side__more">
            <Button size="sm" disabled={pages.isFetchingNextPage} onClick={() => void pages.fetchNextPage()}>
              {pages.isFetchingNextPage ? 'Loading' : 'Show older'}
            </Button>
          </div>
        )}
      </div>
    </>
  )
}

const states = ['pending', 'approved', 'denied', 'expired', 'cancelled', 'revoked'] as const

function Filters({ filter, onChange }: { filter: HistoryFilter; onChange(filter: HistoryFilter): void }) {
  const connections = useConnections().data ?? []
  const field = useRef<HTMLInputElement>(null)
  useActions({ 'view.filter': () => field.current?.focus() })
  const set = (change: Partial<HistoryFilter>) => onChange({ ...filter, ...change })
  return (
    <search className="hist" aria-label="Filter the history">
      <label className="input hist__w">
        <Icon name="search" size={14} />
        <input
          ref={field}
          aria-label="Reason, table, action or id"
          placeholder="Reason, table, action or id"
          value={filter.text}
          onChange={(event) => set({ text: event.target.value })}
        />
      </label>
      <Choice
        label="Outcome"
        value={filter.state}
        onChange={(state) => set({ state })}
        options={states.map((state) => ({ value: state, label: stateWords(state) }))}
      />
      <Choice
        label="Connection"
        value={filter.connection}
        onChange={(connection) => set({ connection })}
        options={connections.map(({ name }) => ({ value: name, label: name }))}
      />
      <Choice
        label="Kind"
        value={filter.kind}
        onChange={(kind) => set({ kind })}
        options={[
          { value: 'once', label: 'One statement' },
          { value: 'grant', label: 'For a time' },
        ]}
      />
      <Choice
        label="When"
        value={filter.days === undefined ? '' : (String(filter.days) as '1' | '7' | '30')}
        onChange={(days) => set({ days: days === '' ? undefined : Number(days) })}
        options={[
          { value: '1', label: 'Last day' },
          { value: '7', label: 'Last 7 days' },
          { value: '30', label: 'Last 30 days' },
        ]}
      />
      <Word label="Person" value={filter.person} onChange={(person) => set({ person })} />
      <Word label="Rule" value={filter.rule} onChange={(rule) => set({ rule })} />
    </search>
  )
}

function stateWords(state: RequestState): string {
  return state === 'pending' ? looks.held.word : looks[state].word
}

function Choice<T extends string>({
  label,
  value,
  onChange,
  options,
}: {
  label: string
  value: T | ''
  onChange(value: T | ''): void
  options: readonly { value: T; label: string }[]
}) {
  return (
    <label className="input input--quiet">
      <select
        aria-label={label}
        className={value === '' ? 't3' : undefined}
        value={value}
        onChange={(event) => onChange(options.find((o) => o.value === event.target.value)?.value ?? '')}
      >
        <option value="">{label}</option>
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
      </select>
    </label>
  )
}

function Word({ label, value, onChange }: { label: string; value: string; onChange(value: string): void }) {
  return (
    <span className="input input--quiet">
      <input aria-label={label} placeholder={label} value={value} onChange={(event) => onChange(event.target.value)} />
    </span>
  )
}
