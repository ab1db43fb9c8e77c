import {
  CellStyleModule,
  type ColDef,
  type GetRowIdParams,
  type GridApi,
  type GridReadyEvent,
  type IDatasource,
  type IHeaderParams,
  InfiniteRowModelModule,
  ModuleRegistry,
  RowSelectionModule,
  themeQuartz,
} from 'ag-grid-community'
import { AgGridReact } from 'ag-grid-react'
import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from 'react'
import type { ResultColumn } from '../../shared/rpc/contract.ts'
import { Icon } from '../decisions/icon.tsx'
import { useNavigation } from '../frame/desk.tsx'
import { problemOf } from '../rpc/problem.ts'
import { IconButton, Tip } from '../theme/controls.tsx'
import type { ResultTab } from './run-state.ts'
import type { SqlRuntime } from './runtime.ts'

ModuleRegistry.registerModules([InfiniteRowModelModule, CellStyleModule, RowSelectionModule])

/** A row of the window that the grid asked for, with its number in the result. */
interface Row {
  n: number
  cells: readonly (string | null)[]
}

const block = 200

/** A result of any size: the grid asks for the rows that are on the screen. Masked values arrive masked. */
export default function ResultGrid({
  connection,
  result,
  rows,
}: {
  connection: string
  result: ResultTab
  rows: SqlRuntime['rows']
}) {
  const [api, setApi] = useState<GridApi<Row> | undefined>(undefined)
  const [problem, setProblem] = useState<string | undefined>(undefined)
  const loaded = useRef(rows)
  loaded.current = rows
  const { handle, columns, rows: total, complete } = result
  const columnDefs = useMemo(
    () => [numberColumn, ...columns.map((column, i) => columnDef(column, i, connection))],
    [columns, connection],
  )
  const datasource = useMemo<IDatasource>(
    () => ({
      getRows: ({ startRow, endRow, successCallback, failCallback }) => {
        loaded.current({ result: handle, from: startRow, to: endRow }).then(
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

  const copy = (event: KeyboardEvent) => {
    if (!(event.metaKey || event.ctrlKey) || event.key.toLowerCase() !== 'c' || api === undefined) return
    event.preventDefault()
    copyFrom(api, columns)
  }
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the grid inside has the focus
    <div className="grid-host" onKeyDown={copy}>
      {problem !== undefined && (
        <p className="err grid-host__err" role="alert">
          Rows could not be read: {problem}
        </p>
      )}
      <div className="grid-host__copy">
        <IconButton icon="copy" label="Copy selected rows" onClick={() => api && copyFrom(api, columns)} />
      </div>
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
        rowSelection={selection}
        suppressCellFocus={false}
        suppressDragLeaveHidesColumns
        onGridReady={(event: GridReadyEvent<Row>) => setApi(event.api)}
      />
    </div>
  )
}

const rowId = (params: GetRowIdParams<Row>) => String(params.data.n)

const selection = { mode: 'multiRow', checkboxes: false, headerCheckbox: false, enableClickSelection: true } as const

const numberColumn: ColDef<Row> = {
  headerName: '',
  valueGetter: ({ data }) => data?.n,
  pinned: 'left',
  width: 52,
  resizable: false,
  sortable: false,
  suppressMovable: true,
  cellClass: 'rn',
  headerClass: 'rn',
}

const numeric = new Set(['int2', 'int4', 'int8', 'float4', 'float8', 'numeric', 'oid', 'money'])

function columnDef(column: ResultColumn, index: number, connection: string): ColDef<Row> {
  const right = numeric.has(column.type)
  const masked = column.masked !== undefined
  const width = masked ? 190 : right ? 96 : column.type.startsWith('timestamp') ? 210 : 160
  return {
    colId: String(index),
    headerName: column.name,
    headerComponent: Header,
    headerComponentParams: { column, connection },
    headerClass: [right && 'r', masked && 'mask'].filter((c) => typeof c === 'string'),
    valueGetter: ({ data }) => data?.cells[index],
    valueFormatter: ({ value }) => (value === null ? 'null' : (value ?? '')),
    cellClassRules: {
      mask: () => masked,
      r: () => right,
      null: ({ value, data }) => data !== undefined && value === null,
    },
    width: Math.max(width, column.name.length * 8 + 36),
    sortable: false,
  }
}

/** The column's name; a lock and the policy where its values are masked. */
function Header({ column, connection }: IHeaderParams<Row> & { column: ResultColumn; connection: string }) {
  const go = useNavigation()
  const { masked } = column
  if (masked === undefined) {
    return (
      <span className="th" title={`${column.name} ${column.type}`}>
        {column.name}
      </span>
    )
  }
  const words = `${column.name}, masked by ${masked.policyId}`
  return (
    <Tip
      label={
        <>
          <b>Masked by {masked.policyId}</b>
          <br />
          {masked.reason}
        </>
      }
    >
      <button
        type="button"
        className="th"
        aria-label={masked.requestable ? `${words}. Request to unmask` : words}
        onClick={() =>
          masked.requestable && go.compose({ connection, actions: ['unmask'], dataClasses: [masked.dataClass] })
        }
      >
        <Icon name="lock" size={14} />
        {column.name}
      </button>
    </Tip>
  )
}

/** The selected rows, or the focused cell, as text with tabs. */
function copyFrom(api: GridApi<Row>, columns: readonly ResultColumn[]): void {
  const selected = api.getSelectedRows().toSorted((a, b) => a.n - b.n)
  const focused = api.getFocusedCell()
  const node = focused === null ? undefined : api.getDisplayedRowAtIndex(focused.rowIndex)
  const cell = focused === null ? undefined : node?.data?.cells[Number(focused.column.getColId())]
  const line = (cells: readonly (string | null)[]) => cells.map((c) => c ?? '').join('\t')
  const text =
    selected.length > 1 || cell === undefined
      ? [line(columns.map((c) => c.name)), ...selected.map((row) => line(row.cells))].join('\n')
      : (cell ?? '')
  navigator.clipboard.writeText(text).catch((error: unknown) => console.warn('Nothing was copied.', error))
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
