import {
  CellStyleModule,
  ColumnApiModule,
  ColumnAutoSizeModule,
  createGrid,
  type GetRowIdParams,
  type GridApi,
  type IDatasource,
  type IGetRowsParams,
  InfiniteRowModelModule,
  ModuleRegistry,
  RenderApiModule,
  ScrollApiModule,
  TooltipModule,
} from 'ag-grid-community'
import type { ResultColumn } from '../../../shared/rpc/contract.ts'
import { firstRows } from '../../../shared/rpc/first-rows.ts'
import { problemOf } from '../../rpc/problem.ts'
import type { ResultTab } from '../run-state.ts'
import type { SqlRuntime } from '../runtime.ts'
import { columnDef, numberColumn, type Row } from './grid-columns.ts'
import { theme } from './grid-theme.ts'
import type { HeaderActions } from './header.ts'
import type { Place } from './selection.ts'
import { columnWidths, grown, numberWidth } from './widths.ts'

ModuleRegistry.registerModules([
  InfiniteRowModelModule,
  CellStyleModule,
  ColumnApiModule,
  ColumnAutoSizeModule,
  RenderApiModule,
  ScrollApiModule,
  TooltipModule,
])

const rowHeight = 26

/** What the table asks of whoever shows it now. */
export interface TableUse {
  rows: SqlRuntime['rows']
  header: HeaderActions
  isSelected(place: Place): boolean
  /** Columns were moved, hidden, shown or pinned. */
  onColumns(): void
  /** The focus may have moved. */
  onFocus(): void
  /** Why rows could not be read; undefined once they could. */
  onProblem(problem: string | undefined): void
}

/**
 * The grid of one SQL tab, which draws its cells itself: as components of React each row that is scrolled to would cost several times as
 * much. To make one takes longer than rows may be in coming, so it is made while a statement runs, and shows one result after another.
 */
export class ResultTable {
  readonly element = document.createElement('div')
  private readonly api: GridApi<Row>
  private use: TableUse | undefined
  private shown: ResultTab | undefined
  /** Rows were asked for before there were any. */
  private waiting: IGetRowsParams | undefined
  /** A window that was read has fewer rows than the result has there by now. */
  private short = false
  /** The row that was on top when it was last shown. */
  private top = 0
  /** Columns whose width a person has chosen. */
  private readonly sized = new Set<string>()
  /** How far it is scrolled to the right, in pixels: to ask the page would make it lay out all that has changed until then. */
  private left = 0
  /** Indexes of the columns that are shown, as they stand from left to right. */
  private order: readonly number[] = []
  private readonly positions = new Map<number, number>()
  /** What is drawn, in a form to compare: the columns, and how they look. */
  private drawn = { columns: '', looks: '' }

  constructor() {
    this.element.className = 'grid-table'
    this.api = createGrid<Row>(this.element, {
      theme,
      rowModelType: 'infinite',
      columnDefs: [numberColumn],
      cacheBlockSize: firstRows.count,
      maxBlocksInCache: 20,
      infiniteInitialRowCount: 1,
      rowHeight,
      // Beyond the screen, each way: every one is made anew for each frame of a fast scroll.
      rowBuffer: 4,
      headerHeight: 28,
      getRowId: rowId,
      animateRows: false,
      // What stands there instead is ours.
      suppressNoRowsOverlay: true,
      // A row that is moved by a transform is a layer of its own, and a fast scroll is a fifth dearer for it.
      suppressRowTransform: true,
      tooltipShowDelay: 600,
      suppressDragLeaveHidesColumns: true,
      onCellFocused: () => this.use?.onFocus(),
      maintainColumnOrder: true,
      onColumnMoved: () => this.arranged(),
      onColumnVisible: () => this.arranged(),
      onColumnPinned: () => this.arranged(),
      onColumnResized: ({ source, columns }) => {
        if (source === 'uiColumnResized' || source === 'autosizeColumns')
          for (const column of columns ?? []) this.sized.add(column.getColId())
      },
      onBodyScroll: ({ left }) => {
        this.left = left
      },
    })
  }

  /** Its name for people who hear it. */
  private name(result: ResultTab): void {
    this.element
      .querySelector('[role="grid"], [role="treegrid"]')
      ?.setAttribute('aria-label', `Result: ${result.title}`)
  }

  /** Shows itself in `host` until it is called back. */
  attach(host: HTMLElement, use: TableUse): () => void {
    this.use = use
    host.append(this.element)
    // An element that was taken off the page has forgotten how far it was scrolled, and nobody tells the grid.
    if (this.top > 0) this.api.ensureIndexVisible(this.top, 'top')
    return () => {
      this.top = Math.round(this.api.getVerticalPixelRange().top / rowHeight)
      this.element.remove()
      this.use = undefined
    }
  }

  /** Brings the table to this result, or to what is known of it by now. */
  show(result: ResultTab): void {
    const before = this.shown
    this.shown = result
    if (before?.handle !== result.handle) {
      this.begin(result)
      return
    }
    if (before.columns !== result.columns) this.setColumns(result.columns)
    else if (before.first === undefined && result.first !== undefined) this.fitColumns(result)
    if (before.rows === result.rows && before.complete === result.complete) return
    if (this.waiting !== undefined) this.answer(this.waiting)
    else if (this.short) {
      this.short = false
      this.api.refreshInfiniteCache()
    }
    this.api.setRowCount(result.complete ? result.rows : Math.max(1, result.rows), result.complete)
  }

  private begin(result: ResultTab): void {
    this.name(result)
    const { api } = this
    this.waiting = undefined
    this.short = false
    if (api.getFocusedCell() !== null) api.clearFocusedCell()
    if (this.left > 0) api.ensureColumnVisible('0', 'start')
    this.setColumns(result.columns)
    // Scrolls to the top, too.
    api.setGridOption('datasource', this.datasourceOf(result.handle))
  }

  private setColumns(columns: readonly ResultColumn[]): void {
    const widths = this.widthsOf(columns)
    const drawn = { columns: JSON.stringify(columns), looks: JSON.stringify([widths, this.use?.header.sort()]) }
    const others = drawn.columns !== this.drawn.columns
    if (!others && drawn.looks === this.drawn.looks) return
    this.drawn = drawn
    this.sized.clear()
    // By way of `use`, so that the columns stay the same while what the header does changes.
    const actions: HeaderActions = {
      sort: () => this.use?.header.sort() ?? [],
      menu: (column, at) => this.use?.header.menu(column, at),
    }
    const selected = ({ row, column }: Place) => this.use?.isSelected({ row, column: this.positionOf(column) }) ?? false
    this.api.setGridOption('columnDefs', [
      numberColumn,
      ...columns.map((column, i) => columnDef(column, i, widths[i] ?? 0, selected, actions)),
    ])
    // What was made of another result's columns is not for these.
    if (others) this.api.resetColumnState()
    this.readOrder()
  }

  private readOrder(): void {
    const ids = this.api.getAllDisplayedColumns().map((column) => Number(column.getColId()))
    this.order = ids.filter((id) => Number.isInteger(id))
    this.positions.clear()
    for (const [position, index] of this.order.entries()) this.positions.set(index, position)
  }

  private arranged(): void {
    this.readOrder()
    this.use?.onColumns()
  }

  /** The index of the column that stands at a position. */
  columnAt(position: number): number {
    return this.order[position] ?? position
  }

  /** Where a column stands now; NaN stays NaN, and is what one has that is not shown. */
  positionOf(index: number): number {
    return this.positions.get(index) ?? Number.NaN
  }

  /** How many columns are shown. */
  get columnCount(): number {
    return this.order.length
  }

  /** How many columns of the result are hidden. */
  get hiddenCount(): number {
    return Math.max(0, (this.shown?.columns.length ?? 0) - this.order.length)
  }

  isPinned(index: number): boolean {
    return this.api.getColumn(String(index))?.isPinned() ?? false
  }

  hide(index: number): void {
    this.api.setColumnsVisible([String(index)], false)
  }

  showAll(): void {
    this.api.setColumnsVisible(this.shown?.columns.map((_, i) => String(i)) ?? [], true)
  }

  pin(index: number, on: boolean): void {
    this.api.setColumnsPinned([String(index)], on ? 'left' : null)
  }

  /** By one place to the left or right, among those that are shown. */
  move(index: number, by: -1 | 1): void {
    const neighbour = this.order[this.positionOf(index) + by]
    if (neighbour === undefined) return
    const all = this.api.getAllGridColumns().map((column) => column.getColId())
    this.api.moveColumns([String(index)], all.indexOf(String(neighbour)))
  }

  /** Rows have come: the columns take their measure, once, so that what a person makes of them stays. */
  private fitColumns({ columns }: ResultTab): void {
    this.api.setColumnWidths(this.widthsOf(columns).map((newWidth, i) => ({ key: String(i), newWidth })))
  }

  private widthsOf(columns: readonly ResultColumn[]): number[] {
    const sorted = new Set(this.use?.header.sort().map(({ column }) => column))
    return columnWidths(columns, this.shown?.first, sorted)
  }

  private datasourceOf(handle: string): IDatasource {
    return {
      getRows: (params) => {
        if (this.shown?.handle === handle) this.answer(params)
        else params.failCallback()
      },
    }
  }

  /** From the rows that came with the news of them, else from the client core. */
  private answer(params: IGetRowsParams): void {
    const { shown } = this
    if (shown === undefined) return
    const { startRow, endRow } = params
    const { first } = shown
    this.waiting = undefined
    if (shown.rows === 0 && !shown.complete) this.waiting = params
    else if (first !== undefined && startRow === 0 && first.length >= Math.min(endRow, shown.rows)) {
      this.give(params, shown.handle, { rows: first, total: shown.rows, complete: shown.complete })
    } else void this.read(params, shown.handle)
  }

  private async read(params: IGetRowsParams, handle: string): Promise<void> {
    const { use } = this
    const { startRow: from, endRow: to } = params
    try {
      if (use === undefined) throw new Error('the result is not shown')
      const page = await use.rows({ result: handle, from, to, maxCell: firstRows.cell })
      this.use?.onProblem(undefined)
      this.give(params, handle, page)
    } catch (error) {
      params.failCallback()
      if (this.shown?.handle === handle) this.use?.onProblem(problemOf(error).message)
    }
  }

  private give(
    { startRow, endRow, successCallback, failCallback }: IGetRowsParams,
    handle: string,
    { rows, total, complete }: { rows: readonly (readonly (string | null)[])[]; total: number; complete: boolean },
  ): void {
    if (this.shown?.handle !== handle || this.api.isDestroyed()) {
      failCallback()
      return
    }
    if (rows.length < endRow - startRow && !complete) this.short = true
    const read = rows.map((cells, i): Row => ({ n: startRow + i + 1, cells }))
    this.grow(rows, startRow + rows.length)
    successCallback(read, complete ? total : undefined)
  }

  /** Where the rows that come now would be cut to say something else. What a person has set a width for stays as it is. */
  private grow(rows: readonly (readonly (string | null)[])[], last: number): void {
    const columns = this.shown?.columns ?? []
    const widths = columns.map((_, i) =>
      this.sized.has(String(i)) ? Number.POSITIVE_INFINITY : (this.api.getColumn(String(i))?.getActualWidth() ?? 0),
    )
    const wider = grown(columns, rows, widths).map(({ column, width }) => ({ key: String(column), newWidth: width }))
    const numbers = numberWidth(last)
    if (numbers > (this.api.getColumn('row')?.getActualWidth() ?? 0)) wider.push({ key: 'row', newWidth: numbers })
    if (wider.length > 0) this.api.setColumnWidths(wider)
  }

  /** What is selected has changed. */
  refreshCells(): void {
    this.api.refreshCells({ force: true, suppressFlash: true })
  }

  reveal({ row, column }: Place): void {
    this.api.ensureIndexVisible(row)
    this.api.ensureColumnVisible(String(this.columnAt(column)))
  }

  focus({ row, column }: Place): void {
    this.api.setFocusedCell(row, String(this.columnAt(column)))
  }

  focusHeader(index: number): void {
    this.element.querySelector<HTMLElement>(`.ag-header-cell[col-id="${index}"] .th`)?.focus()
  }

  /** The cell that had the focus last, else the first; of no rows, the first header. */
  focusAny(): void {
    // Before there was any it says undefined, whatever its type says.
    const at = this.api.getFocusedCell() ?? undefined
    if (at !== undefined) this.api.setFocusedCell(at.rowIndex, at.column)
    else if (this.shown?.rows === 0) this.focusHeader(this.columnAt(0))
    else this.focus({ row: 0, column: 0 })
  }

  /** The cell that has the focus; its column is NaN for the number of a row. */
  focused(): Place | undefined {
    const at = this.api.getFocusedCell()
    return at === null ? undefined : { row: at.rowIndex, column: this.positionOf(Number(at.column.getColId())) }
  }

  dispose(): void {
    this.element.remove()
    this.api.destroy()
  }
}

const rowId = (params: GetRowIdParams<Row>) => String(params.data.n)
