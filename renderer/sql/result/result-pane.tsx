import './result.css'
import { Menu } from '@mantine/core'
import { lazy, Suspense, useRef, useState } from 'react'
import { createPortal } from 'react-dom'
import type { ResultColumn } from '../../../shared/rpc/contract.ts'
import { keyLabel } from '../../decisions/keys.ts'
import { milliseconds, useNow } from '../../decisions/time.ts'
import { counted } from '../../decisions/words.ts'
import { useNavigation } from '../../frame/desk.tsx'
import { useMyGrants } from '../../frame/grants.ts'
import { usePause, usePlatform } from '../../rpc/context.tsx'
import { problemLine, problemOf } from '../../rpc/problem.ts'
import { Empty, IconButton, Spinner } from '../../theme/controls.tsx'
import { MenuAt } from '../../theme/menu-at.tsx'
import { PinButton } from '../pin-button.tsx'
import type { Mark, ResultTab } from '../run-state.ts'
import type { SqlRuntime } from '../runtime.ts'
import { ArrangeBar, type Arrangement } from './arrange-bar.tsx'
import { chartRows } from './chart-data.ts'
import { type CopyFormat, copied, copyNames, insertTarget } from './copy.ts'
import { ExportMenu, ExportProgress } from './export.tsx'
import { isStopped } from './exportable.ts'
import { shownSince } from './fields.ts'
import { Foot } from './foot.tsx'
import { type GridHandle, ResultGrid } from './grid.tsx'
import { ColumnMenu } from './menus.tsx'
import { type Box, boxOf, cellCount, type Selection } from './selection.ts'
import { ResultTable } from './table.ts'
import { useExport } from './use-export.ts'
import { CellViewer } from './viewer.tsx'

const ResultChart = lazy(() => import('./chart.tsx'))

/** Cells that go to the clipboard at most: for more there is a file. */
const copyMost = 200_000
const none: Arrangement = { sort: [], filters: [] }

type Spot = { x: number; y: number }
/** Of what is selected, or of a column. */
type OpenMenu = { kind: 'cells'; at: Spot } | { kind: 'column'; column: number; at: Spot }

/** One result: grid or chart, the value of a cell, and what can be done with them. `slot` takes its tools. */
export default function ResultPane({
  table,
  connection,
  result,
  mark,
  runtime,
  running,
  slot,
}: {
  /** The tab's grid, once it has been made. */
  table: { current: ResultTable | undefined }
  connection: string
  result: ResultTab
  mark: Mark | undefined
  runtime: SqlRuntime
  running: boolean
  slot: HTMLElement | null
}) {
  const { os } = usePlatform()
  const go = useNavigation()
  const paused = usePause() !== undefined
  const grants = useMyGrants(useNow(5_000)).filter((grant) => grant.connection === connection)
  const grid = useRef<GridHandle>(null)
  table.current ??= new ResultTable()
  const [selection, setSelection] = useState<Selection | undefined>(undefined)
  const [viewer, setViewer] = useState(false)
  const [chart, setChart] = useState(false)
  /** The column that it was asked for; else the person chooses. */
  const [arranging, setArranging] = useState<{ column?: number } | undefined>(undefined)
  /** The focus goes on to the filter. */
  const toFilter = useRef(false)
  const [menu, setMenu] = useState<OpenMenu | undefined>(undefined)
  const [said, setSaid] = useState('')
  const [problem, setProblem] = useState<string | undefined>(undefined)
  const [dismissed, setDismissed] = useState<string | undefined>(undefined)
  const refused = problem ?? (result.refused === dismissed ? undefined : result.refused)
  const exporting = useExport(result.key)
  // Another result in the same pane begins anew; the same one, run again in another order, does not.
  const [of, setOf] = useState(result.key)
  if (of !== result.key) {
    setOf(result.key)
    setSelection(undefined)
    setViewer(false)
    setChart(false)
    setArranging(undefined)
    setMenu(undefined)
    setSaid('')
    setProblem(undefined)
  }
  const { columns, handle } = result
  const text = result.view?.text ?? mark?.text ?? ''
  const arrangement = result.view ?? none
  const made = table.current
  const head = selection && { row: selection.head.row, column: made.columnAt(selection.head.column) }
  const viewed = head === undefined ? undefined : columns[head.column]

  const ask = ({ masked }: ResultColumn) =>
    masked && go.compose({ connection, actions: ['unmask'], dataClasses: [masked.dataClass] })
  const put = (words: string, content: string) =>
    navigator.clipboard.writeText(content).then(
      () => setSaid(words),
      (error: unknown) => setSaid(`Nothing was copied: ${problemOf(error).message}`),
    )
  const copy = async (format: CopyFormat, of = selection) => {
    if (of === undefined) return
    const box = boxOf(of)
    if (cellCount(box) > copyMost) {
      setSaid(`${cellCount(box).toLocaleString('en-GB')} cells are too many for the clipboard. Export them.`)
      return
    }
    const indexes = Array.from({ length: box.right - box.left + 1 }, (_, i) => made.columnAt(box.left + i))
    const picked = indexes.flatMap((i) => columns[i] ?? [])
    try {
      const cells = await readBox(runtime, handle, box, indexes)
      const what = `${counted(cells.length, 'row')} × ${counted(picked.length, 'column')}`
      await put(`Copied ${what}.`, copied(format, picked, cells, insertTarget(text)))
    } catch (error) {
      setSaid(`Nothing was copied: ${problemOf(error).message}`)
    }
  }
  const arrange = async (next: Arrangement) => {
    setProblem(undefined)
    setDismissed(undefined)
    // It stands so already, and nothing runs twice that nobody asked for.
    if (isPlain(next) && isPlain(arrangement)) return
    if (await runAs(next)) setSelection(undefined)
  }
  /** As it stands, by what is granted now. */
  const again = () => {
    setDismissed(undefined)
    return runAs(arrangement)
  }
  /** That it is a query, which does nothing twice, is asked first. False, and said why, where it is not run. */
  const runAs = async (next: Arrangement): Promise<boolean> => {
    try {
      const asked = await runtime.rearrange({ text, columns: [...columns], ...next })
      runtime.runAgain(result.key, isPlain(next) ? text : asked.text, { text, ...next })
      return true
    } catch (error) {
      setProblem(problemLine(problemOf(error)))
      return false
    }
  }
  /** Gives the focus back to where the menu was asked for. */
  const closeMenu = () => {
    setMenu(undefined)
    const leaves = toFilter.current
    toFilter.current = false
    if (leaves) return
    if (menu?.kind === 'cells') grid.current?.focus()
    else if (menu !== undefined) made.focusHeader(menu.column)
  }
  const closeViewer = () => {
    setViewer(false)
    grid.current?.focus()
  }
  const save = () => head && exporting.start((signal) => runtime.saveCell({ result: handle, ...head }, { signal }))
  const small = result.complete && result.rows <= chartRows

  const tools = (
    <>
      <PinButton result={result} runtime={runtime} what="result" />
      <IconButton
        icon="filter"
        label="Filter and order"
        active={arranging !== undefined}
        onClick={() => setArranging((on) => (on === undefined ? {} : undefined))}
      />
      <IconButton
        icon="pulse"
        label={small ? 'Chart' : `Charts are for results of up to ${chartRows.toLocaleString('en-GB')} rows`}
        active={chart}
        aria-disabled={!small}
        onClick={() => small && setChart((on) => !on)}
      />
      <IconButton
        icon="panel-left"
        className="flip"
        label="Value of the cell"
        active={viewer}
        onClick={() => setViewer((on) => !on)}
      />
      <Menu classNames={{ dropdown: 'menu menu--float', item: 'mi' }} position="bottom-end" withinPortal unstyled>
        <Menu.Target>
          <IconButton icon="copy" label="Copy selected cells" />
        </Menu.Target>
        <Menu.Dropdown>{copyItems(selection, (format) => void copy(format), os)}</Menu.Dropdown>
      </Menu>
      <span className="vr" />
      <ExportMenu
        result={result}
        mark={mark}
        busy={exporting.state.state === 'going'}
        onExport={(format, partial) =>
          exporting.start((signal) =>
            runtime.export({ result: handle, format, name: result.title, partial }, { signal }),
          )
        }
      />
    </>
  )
  const asked = menu?.kind === 'column' ? columns[menu.column] : viewed
  return (
    <>
      {slot !== null && createPortal(tools, slot)}
      {(arranging !== undefined || refused !== undefined || !isPlain(arrangement)) && (
        <ArrangeBar
          columns={columns}
          view={arrangement}
          busy={running}
          problem={refused}
          asked={arranging}
          onChange={(next) => void arrange(next)}
          onClose={() => {
            setArranging(undefined)
            void arrange(none)
            setDismissed(result.refused)
            // The header stays where the rows are read anew.
            if (isPlain(arrangement) && selection !== undefined) grid.current?.focus()
            else made.focusHeader(made.columnAt(0))
          }}
        />
      )}
      <div className="res__split">
        {chart && small ? (
          <Suspense fallback={<Spinner label="Opening the chart" />}>
            <ResultChart key={handle} result={result} rows={runtime.rows} />
          </Suspense>
        ) : result.rows === 0 && isStopped(result, mark) ? (
          <Empty icon="table" title="0 rows" text="It was stopped before there were any." />
        ) : (
          <ResultGrid
            ref={grid}
            table={made}
            result={result}
            rows={runtime.rows}
            selection={selection}
            header={{
              sort: () => arrangement.sort,
              menu: (column, at) => setMenu({ kind: 'column', column, at }),
            }}
            onSelect={setSelection}
            onOpen={() => setViewer(true)}
            onMenu={(at) => setMenu({ kind: 'cells', at })}
            onColumns={() => setSelection(undefined)}
            onCopy={(of) => void copy('text', of)}
          />
        )}
        {/* Under the names of its columns, which say what it would have had. */}
        {result.rows === 0 && result.complete && !chart && (
          <div className="res__none">
            <Empty
              icon="table"
              title="0 rows"
              text={`It ran and matched nothing. ${mark?.ms === undefined ? '' : milliseconds(mark.ms)}`}
            />
          </div>
        )}
        {viewer && head !== undefined && viewed !== undefined && !chart && (
          // biome-ignore lint/a11y/noStaticElementInteractions: Escape leaves it
          <div
            className="res__viewer"
            onKeyDown={(event) => {
              if (event.key === 'Escape') closeViewer()
            }}
          >
            <CellViewer
              handle={handle}
              column={viewed}
              place={head}
              rows={runtime.rows}
              onClose={closeViewer}
              onCopy={(value) => void put('Copied the value.', value)}
              onSave={save}
              onAsk={ask}
            />
          </div>
        )}
      </div>
      {menu !== undefined && asked !== undefined && menu.kind === 'column' && (
        <ColumnMenu
          column={asked}
          at={menu.at}
          busy={running}
          sorted={arrangement.sort.some(({ column }) => column === menu.column)}
          onSort={(direction) =>
            void arrange({
              ...arrangement,
              sort: direction === undefined ? [] : [{ column: menu.column, direction }],
            })
          }
          onFilter={() => {
            toFilter.current = true
            setArranging({ column: menu.column })
          }}
          place={{
            pinned: made.isPinned(menu.column),
            first: made.positionOf(menu.column) === 0,
            last: made.positionOf(menu.column) === made.columnCount - 1,
            hidden: made.hiddenCount,
          }}
          onSelect={() => {
            const column = made.positionOf(menu.column)
            if (result.rows > 0) setSelection({ anchor: { row: 0, column }, head: { row: result.rows - 1, column } })
          }}
          onMove={(by) => made.move(menu.column, by)}
          onPin={(on) => made.pin(menu.column, on)}
          onHide={() => made.hide(menu.column)}
          onShowAll={() => made.showAll()}
          onCopyName={() => void put('Copied the name.', asked.name)}
          onAsk={() => ask(asked)}
          onClose={closeMenu}
        />
      )}
      {menu !== undefined && asked !== undefined && menu.kind === 'cells' && (
        <MenuAt at={menu.at} onClose={closeMenu}>
          <Menu.Item rightSection={<span className="kbd">Space</span>} onClick={() => setViewer(true)}>
            Show value
          </Menu.Item>
          {copyItems(selection, (format) => void copy(format), os)}
          <Menu.Item onClick={save}>Save value as a file…</Menu.Item>
          {asked.masked?.requestable && <Menu.Item onClick={() => ask(asked)}>Request to unmask…</Menu.Item>}
        </MenuAt>
      )}
      <Foot
        result={result}
        mark={mark}
        selection={selection}
        said={said}
        hidden={made.hiddenCount}
        shown={shownSince(columns, grants, mark?.startedAt ?? Number.POSITIVE_INFINITY)}
        onAgain={running || paused ? undefined : () => void again()}
        onShowAll={() => made.showAll()}
      >
        <ExportProgress state={exporting.state} onCancel={exporting.cancel} />
      </Foot>
    </>
  )
}

/** As the statement has it. */
function isPlain({ sort, filters }: Arrangement): boolean {
  return sort.length === 0 && filters.length === 0
}

/** The cells of a box, whole, some rows at a time. */
async function readBox(
  runtime: SqlRuntime,
  handle: string,
  box: Box,
  columns: readonly number[],
): Promise<(string | null)[][]> {
  const cells: (string | null)[][] = []
  for (let from = box.top; from <= box.bottom; from += 1000) {
    const to = Math.min(box.bottom + 1, from + 1000)
    const { rows } = await runtime.rows({ result: handle, from, to })
    for (const row of rows) cells.push(columns.map((i) => row[i] ?? null))
  }
  return cells
}

const formats = ['text', 'names', 'csv', 'json', 'markdown', 'insert'] as const

function copyItems(
  selection: Selection | undefined,
  onCopy: (format: CopyFormat) => void,
  os: Parameters<typeof keyLabel>[1],
) {
  return formats.map((format) => (
    <Menu.Item
      key={format}
      disabled={selection === undefined}
      rightSection={format === 'text' ? <span className="kbd">{keyLabel('Mod+C', os)}</span> : undefined}
      onClick={() => onCopy(format)}
    >
      {copyNames[format]}
    </Menu.Item>
  ))
}
