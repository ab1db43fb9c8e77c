import {
  CellStyleModule,
  type ColDef,
  type GetRowIdParams,
  type GridApi,
  type GridReadyEvent,
  type IDatasource,
  InfiniteRowModelModule,
  ModuleRegistry,
  RenderApiModule,
  ScrollApiModule,
  TooltipModule,
  themeQuartz,
} from 'ag-grid-community'
import { AgGridReact } from 'ag-grid-react'
import { type KeyboardEvent, type MouseEvent, useEffect, useImperativeHandle, useMemo, useRef, useState } from 'react'
import type { ResultColumn } from '../../../shared/rpc/contract.ts'
import { problemOf } from '../../rpc/problem.ts'
import type { ResultTab } from '../run-state.ts'
import type { SqlRuntime } from '../runtime.ts'
import { isNumber } from './fields.ts'
import { GridHeader, type HeaderActions } from './header.tsx'
import { boxOf, extended, holds, type Place, type Selection } from './selection.ts'

ModuleRegistry.registerModules([
  InfiniteRowModelModule,
  CellStyleModule,
  RenderApiModule,
  ScrollApiModule,
  TooltipModule,
])

/** A row of the window that the grid asked for, with its number in the result. */
interface Row {
  n: number
  cells: readonly (string | null)[]
}

const block = 200
/** Of a long value the grid has the beginning; the cell viewer and copying have all of it. */
const maxCell = 1_000

export interface GridHandle {
  /** Gives the focus back to the cell that had it. */
  focus(): void
}

/** A result of any size: the grid asks for the rows that are on the screen. Masked values arrive masked. */
export function ResultGrid({
  result,
  rows,
  selection,
  header,
  ref,
  onSelect,
  onOpen,
  onMenu,
  onCopy,
}: {
  result: ResultTab
  rows: SqlRuntime['rows']
  selection: Selection | undefined
  header: HeaderActions
  ref: React.Ref<GridHandle>
  onSelect(selection: Selection): void
  /** Enter, Space or a double click on a cell. */
  onOpen(): void
  onMenu(at: { x: number; y: number }): void
  onCopy(selection: Selection): void
}) {
  const [api, setApi] = useState<GridApi<Row> | undefined>(undefined)
  const [problem, setProblem] = useState<string | undefined>(undefined)
  const latest = useRef({ rows, selection, header })
  latest.current = { rows, selection, header }
  /** The place of the focus that the selection has followed. */
  const followed = useRef<Place | undefined>(undefined)
  const host = useRef<HTMLDivElement>(null)
  const { handle, columns, rows: total, complete } = result
  const columnDefs = useMemo(() => {
    const selected = (place: Place) => {
      const { selection: now } = latest.current
      return now !== undefined && holds(boxOf(now), place)
    }
    // By way of `latest`, so that the columns stay the same while what the header does changes.
    const actions: HeaderActions = {
      sort: () => latest.current.header.sort(),
      menu: (column, at) => latest.current.header.menu(column, at),
    }
    return [numberColumn, ...columns.map((column, i) => columnDef(column, i, selected, actions))]
  }, [columns])
  const datasource = useMemo<IDatasource>(
    () => ({
      getRows: ({ startRow, endRow, successCallback, failCallback }) => {
        latest.current.rows({ result: handle, from: startRow, to: endRow, maxCell }).then(
          (page) => {
            setProblem(undefined)
            const read = page.rows.map((cells, i): Row => ({ n: startRow + i + 1, cells }))
            successCallback(read, page.complete ? page.total : undefined)
          },
          (error: unknown) => {
            setProblem(problemOf(error).message)
            failCallback()
          },
        )
      },
    }),
    [handle],
  )
  useEffect(() => {
    if (api === undefined || api.isDestroyed()) return
    // Blocks that were short when they were read have more rows now.
    if (total <= block || complete) api.refreshInfiniteCache()
    api.setRowCount(total, complete)
  }, [api, total, complete])
  // biome-ignore lint/correctness/useExhaustiveDependencies: the cells ask for the selection themselves when they are drawn
  useEffect(() => {
    if (api !== undefined && !api.isDestroyed()) api.refreshCells({ force: true, suppressFlash: true })
  }, [api, selection])

  const extend = (next: Selection) => {
    onSelect(next)
    api?.ensureIndexVisible(next.head.row)
    api?.ensureColumnVisible(String(next.head.column))
  }
  const press = (event: KeyboardEvent) => {
    const mod = event.metaKey || event.ctrlKey
    const act = (run: () => void) => {
      event.preventDefault()
      event.stopPropagation()
      run()
    }
    if (!(event.target instanceof HTMLElement) || event.target.closest('.ag-header') !== null) return
    const now = follow()
    if (mod && event.key.toLowerCase() === 'c') act(() => now && onCopy(now))
    else if (mod && event.key.toLowerCase() === 'a' && columns.length > 0 && total > 0) {
      act(() => onSelect({ anchor: { row: 0, column: 0 }, head: { row: total - 1, column: columns.length - 1 } }))
    } else if (event.shiftKey && event.key !== 'F10' && now !== undefined) {
      const next = extended(now, event.key, { rows: total, columns: columns.length })
      if (next !== undefined) act(() => extend(next))
    } else if ((event.key === ' ' || event.key === 'Enter') && !mod) act(onOpen)
    else if (event.key === 'ContextMenu' || (event.key === 'F10' && event.shiftKey)) {
      const box = event.target.getBoundingClientRect()
      act(() => onMenu({ x: box.left + 12, y: box.bottom }))
    }
  }
  /** A cell, or of a row's number the whole row. */
  const selectionAt = ({ row, column }: Place): Selection => {
    const whole = Number.isNaN(column)
    return {
      anchor: { row, column: whole ? 0 : column },
      head: { row, column: whole ? columns.length - 1 : column },
    }
  }
  /**
   * The selection, where the focus is by now. The grid tells of its focus a moment after the key, and again after each
   * refresh: so it is asked before a key is acted on, and a place that was followed already changes nothing.
   */
  const follow = (): Selection | undefined => {
    const at = api === undefined || api.isDestroyed() ? null : api.getFocusedCell()
    if (at === null) return latest.current.selection
    const place = { row: at.rowIndex, column: Number(at.column.getColId()) }
    if (samePlace(place, followed.current)) return latest.current.selection
    followed.current = place
    const next = selectionAt(place)
    latest.current.selection = next
    onSelect(next)
    return next
  }
  const pressPointer = (event: MouseEvent) => {
    const place = placeOf(event.target)
    if (place === undefined) return
    followed.current = place
    // The menu is for what is selected.
    if (event.button !== 0) return
    const at = selectionAt(place)
    const before = latest.current.selection
    onSelect(event.shiftKey && before !== undefined ? { anchor: before.anchor, head: at.head } : at)
  }
  useImperativeHandle(ref, () => ({
    focus: () => {
      const at = latest.current.selection?.head
      if (at !== undefined && api !== undefined && !api.isDestroyed()) api.setFocusedCell(at.row, String(at.column))
    },
  }))
  /** The cell of an element; its column is NaN for the number of a row. */
  const placeOf = (target: EventTarget): Place | undefined => {
    if (!(target instanceof HTMLElement)) return undefined
    const cell = target.closest('.ag-cell')
    const row = Number(cell?.closest('.ag-row')?.getAttribute('row-index') ?? Number.NaN)
    const column = Number(cell?.getAttribute('col-id') ?? Number.NaN)
    return Number.isInteger(row) ? { row, column } : undefined
  }
  const cellOf = (target: EventTarget): Place | undefined => {
    const place = placeOf(target)
    return place === undefined || Number.isNaN(place.column) ? undefined : place
  }
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the grid inside has the focus
    // biome-ignore lint/a11y/useKeyWithMouseEvents: Shift and the arrow keys do the same
    <div
      className="grid-host"
      ref={host}
      onKeyDownCapture={press}
      onMouseDownCapture={pressPointer}
      onMouseOver={(event) => {
        const place = event.buttons === 1 ? cellOf(event.target) : undefined
        if (place !== undefined && selection !== undefined) onSelect({ anchor: selection.anchor, head: place })
      }}
      onDoubleClick={(event) => {
        if (cellOf(event.target) !== undefined) onOpen()
      }}
      onContextMenu={(event) => {
        const place = cellOf(event.target)
        if (place === undefined) return
        event.preventDefault()
        if (selection === undefined || !holds(boxOf(selection), place)) onSelect({ anchor: place, head: place })
        onMenu({ x: event.clientX, y: event.clientY })
      }}
    >
      {problem !== undefined && (
        <p className="err grid-host__err" role="alert">
          Rows could not be read: {problem}
        </p>
      )}
      <AgGridReact<Row>
        theme={theme}
        rowModelType="infinite"
        datasource={datasource}
        columnDefs={columnDefs}
        cacheBlockSize={block}
        maxBlocksInCache={20}
        infiniteInitialRowCount={Math.max(1, total)}
        rowHeight={26}
        headerHeight={28}
        getRowId={rowId}
        tooltipShowDelay={600}
        suppressDragLeaveHidesColumns
        onCellFocused={follow}
        onGridReady={(event: GridReadyEvent<Row>) => setApi(event.api)}
      />
    </div>
  )
}

function samePlace(a: Place, b: Place | undefined): boolean {
  return a.row === b?.row && Object.is(a.column, b.column)
}

const rowId = (params: GetRowIdParams<Row>) => String(params.data.n)

const numberColumn: ColDef<Row> = {
  colId: 'row',
  headerName: '',
  headerComponentParams: {},
  valueGetter: ({ data }) => data?.n,
  pinned: 'left',
  width: 64,
  resizable: false,
  sortable: false,
  suppressMovable: true,
  cellClass: 'rn',
  headerClass: 'rn',
}

function columnDef(
  column: ResultColumn,
  index: number,
  selected: (place: Place) => boolean,
  actions: HeaderActions,
): ColDef<Row> {
  const right = isNumber(column.type)
  const { masked } = column
  const width = masked ? 190 : right ? 96 : column.type.startsWith('timestamp') ? 210 : 160
  const reason = masked === undefined ? undefined : `Masked by ${masked.policyId}. ${masked.reason}`
  return {
    colId: String(index),
    headerName: column.name,
    headerComponent: GridHeader,
    headerComponentParams: { of: column, index, actions },
    headerClass: [right && 'r', masked && 'mask'].filter((c) => typeof c === 'string'),
    valueGetter: ({ data }) => data?.cells[index],
    valueFormatter: ({ value }) => (value === null ? 'null' : (value ?? '')),
    tooltipValueGetter: () => reason,
    cellClassRules: {
      mask: () => masked !== undefined,
      r: () => right,
      null: ({ value, data }) => data !== undefined && value === null,
      'is-in': ({ rowIndex }) => selected({ row: rowIndex, column: index }),
    },
    width: Math.max(width, column.name.length * 8 + 44),
    sortable: false,
  }
}

const theme = themeQuartz.withParams({
  backgroundColor: 'var(--sp-surface-base)',
  foregroundColor: 'var(--sp-text)',
  borderColor: 'var(--sp-line)',
  browserColorScheme: 'inherit',
  accentColor: 'var(--sp-accent)',
  headerBackgroundColor: 'var(--sp-surface-raised)',
  headerTextColor: 'var(--sp-text-2)',
  headerFontWeight: 500,
  headerFontFamily: 'var(--sp-font-ui)',
  headerFontSize: 12,
  headerColumnBorder: { color: 'var(--sp-line)' },
  columnBorder: { color: 'var(--sp-line)' },
  rowBorder: { color: 'var(--sp-line)' },
  fontFamily: 'var(--sp-font-mono)',
  fontSize: 12,
  cellHorizontalPadding: 10,
  oddRowBackgroundColor: 'transparent',
  rowHoverColor: 'var(--sp-hover)',
  selectedRowBackgroundColor: 'var(--sp-accent-tint)',
  wrapperBorder: false,
  wrapperBorderRadius: 0,
  borderRadius: 0,
})
