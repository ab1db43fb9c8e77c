import { useEffect, useMemo, useState } from 'react'
import type { ResultColumn } from '../../../shared/rpc/contract.ts'
import { Icon } from '../../decisions/icon.tsx'
import { problemOf } from '../../rpc/problem.ts'
import { Button, IconButton, Segments } from '../../theme/controls.tsx'
import type { SqlRuntime } from '../runtime.ts'
import {
  type CellMode,
  hexLines,
  jsonTree,
  kindOf,
  modeNames,
  modes,
  prettyJson,
  prettyXml,
  sizeOf,
  spelled,
} from './cell.ts'
import { JsonTree } from './json-tree.tsx'
import type { Place } from './selection.ts'

/** Characters that are put on the screen at once; more would make the page wait, and nobody reads it. */
const shownMost = 200_000

type Loaded = { state: 'loading' } | { state: 'ready'; value: string | null } | { state: 'failed'; message: string }

/** One value, whole: formatted, as a tree, or as bytes. It follows the cell that has the focus. */
export function CellViewer({
  handle,
  column,
  place,
  rows,
  onClose,
  onCopy,
  onSave,
  onAsk,
}: {
  handle: string
  column: ResultColumn
  place: Place
  rows: SqlRuntime['rows']
  onClose(): void
  onCopy(text: string): void
  onSave(): void
  onAsk(column: ResultColumn): void
}) {
  const loaded = useCell(handle, place, rows)
  const value = loaded.state === 'ready' ? loaded.value : null
  const kind = useMemo(() => kindOf(value, column), [value, column])
  const [wanted, setWanted] = useState<CellMode | undefined>(undefined)
  const offered = modes[kind]
  const mode = wanted !== undefined && offered.includes(wanted) ? wanted : (offered[0] ?? 'text')
  return (
    <aside className="cellview" aria-label={`Value of ${column.name}, row ${place.row + 1}`}>
      <div className="cellview__hd">
        <b className="trunc mono">{column.name}</b>
        <span className="t3">
          {column.type} · row {(place.row + 1).toLocaleString('en-GB')}
        </span>
        <span className="right row row--2">
          {value !== null && <IconButton icon="copy" label="Copy value" onClick={() => onCopy(value)} />}
          {value !== null && <IconButton icon="download" label="Save value as a file" onClick={onSave} />}
          <IconButton icon="x" label="Close value" onClick={onClose} />
        </span>
      </div>
      {column.masked && (
        <div className="cellview__mask d-masked">
          <Icon name="eye-off" size={14} />
          <span className="grow">
            <b className="word">Masked</b> by <code>{column.masked.policyId}</code>. {column.masked.reason}
          </span>
          {column.masked.requestable && (
            <Button size="sm" onClick={() => onAsk(column)}>
              Request to unmask…
            </Button>
          )}
        </div>
      )}
      {offered.length > 1 && (
        <div className="cellview__modes">
          <Segments<CellMode>
            label="Show as"
            value={mode}
            onChange={setWanted}
            options={offered.map((m) => ({ value: m, label: modeNames[m] }))}
          />
        </div>
      )}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys */}
      <section className="cellview__bd scroll" tabIndex={0} aria-label="Value">
        {loaded.state === 'failed' && (
          <p className="err" role="alert">
            The value could not be read: {loaded.message}
          </p>
        )}
        {loaded.state === 'ready' &&
          (value === null || value === '' ? (
            <i className="t3">{value === null ? 'null' : 'empty'}</i>
          ) : (
            <Value value={value} mode={mode} kind={kind} />
          ))}
      </section>
      {value !== null && (
        <div className="cellview__ft t3 num">
          {sizeOf(value, kind)}
          {value.length > shownMost && mode !== 'tree' && ' · the beginning is shown; copy or save it for all of it'}
        </div>
      )}
    </aside>
  )
}

function Value({ value, mode, kind }: { value: string; mode: CellMode; kind: ReturnType<typeof kindOf> }) {
  const shown = useMemo(() => {
    const head = value.slice(0, shownMost)
    if (mode === 'hex') return hexLines(value, 16_384).join('\n')
    if (mode === 'pretty') return spelled(kind === 'xml' ? prettyXml(head) : prettyJson(head))
    return spelled(head)
  }, [value, mode, kind])
  const tree = useMemo(() => (mode === 'tree' ? jsonTree(value) : undefined), [value, mode])
  if (tree !== undefined) return <JsonTree value={tree.value} />
  return <pre className={mode === 'hex' ? 'cellview__pre is-hex' : 'cellview__pre'}>{shown}</pre>
}

/** The whole value: what the grid has of a long one is its beginning. */
function useCell(handle: string, { row, column }: Place, rows: SqlRuntime['rows']): Loaded {
  const [loaded, setLoaded] = useState<Loaded>({ state: 'loading' })
  useEffect(() => {
    const leave = new AbortController()
    rows({ result: handle, from: row, to: row + 1 }, { signal: leave.signal }).then(
      (page) => !leave.signal.aborted && setLoaded({ state: 'ready', value: page.rows[0]?.[column] ?? null }),
      (error: unknown) => !leave.signal.aborted && setLoaded({ state: 'failed', message: problemOf(error).message }),
    )
    return () => leave.abort()
  }, [handle, row, column, rows])
  return loaded
}
