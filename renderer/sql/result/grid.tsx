import {
  type KeyboardEvent,
  type MouseEvent,
  useEffect,
  useImperativeHandle,
  useLayoutEffect,
  useRef,
  useState,
} from 'react'
import type { ResultTab } from '../run-state.ts'
import type { SqlRuntime } from '../runtime.ts'
import type { HeaderActions } from './header.ts'
import { boxOf, extended, holds, type Place, type Selection } from './selection.ts'
import type { ResultTable } from './table.ts'

export interface GridHandle {
  /** Gives the focus back to the cell that had it. */
  focus(): void
}

/** A result of any size: the grid asks for the rows that are on the screen. Masked values arrive masked. */
export function ResultGrid({
  table,
  result,
  rows,
  selection,
  header,
  ref,
  onSelect,
  onOpen,
  onMenu,
  onColumns,
  onCopy,
}: {
  table: ResultTable
  result: ResultTab
  rows: SqlRuntime['rows']
  selection: Selection | undefined
  header: HeaderActions
  ref: React.Ref<GridHandle>
  onSelect(selection: Selection): void
  /** Enter, Space or a double click on a cell. */
  onOpen(): void
  onMenu(at: { x: number; y: number }): void
  /** Columns stand elsewhere now: what was selected is something else. */
  onColumns(): void
  onCopy(selection: Selection): void
}) {
  const [problem, setProblem] = useState<string | undefined>(undefined)
  const latest = useRef({ rows, selection, header, follow: () => {}, onColumns })
  /** The place of the focus that the selection has followed. */
  const followed = useRef<Place | undefined>(undefined)
  const host = useRef<HTMLDivElement>(null)
  const { handle, rows: total } = result
  useLayoutEffect(() => {
    if (host.current === null) return
    return table.attach(host.current, {
      rows: (input) => latest.current.rows(input),
      header: {
        sort: () => latest.current.header.sort(),
        menu: (column, at) => latest.current.header.menu(column, at),
      },
      isSelected: (place) => {
        const { selection: now } = latest.current
        return now !== undefined && holds(boxOf(now), place)
      },
      onFocus: () => latest.current.follow(),
      onColumns: () => latest.current.onColumns(),
      onProblem: setProblem,
    })
  }, [table])
  // biome-ignore lint/correctness/useExhaustiveDependencies: of another result nothing has been followed or failed yet
  useLayoutEffect(() => {
    followed.current = undefined
    setProblem(undefined)
  }, [handle])
  useLayoutEffect(() => table.show(result), [table, result])
  // biome-ignore lint/correctness/useExhaustiveDependencies: the cells ask for the selection themselves when they are drawn
  useEffect(() => table.refreshCells(), [table, selection])

  const extend = (next: Selection) => {
    onSelect(next)
    table.reveal(next.head)
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
    else if (mod && event.key.toLowerCase() === 'a' && table.columnCount > 0 && total > 0) {
      const head = { row: total - 1, column: table.columnCount - 1 }
      act(() => onSelect({ anchor: { row: 0, column: 0 }, head }))
    } else if (event.shiftKey && event.key !== 'F10' && now !== undefined) {
      const next = extended(now, event.key, { rows: total, columns: table.columnCount }, mod)
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
      head: { row, column: whole ? table.columnCount - 1 : column },
    }
  }
  /**
   * The selection, where the focus is by now. The grid tells of its focus a moment after the key, and again after each
   * refresh: so it is asked before a key is acted on, and a place that was followed already changes nothing.
   */
  const follow = (): Selection | undefined => {
    const place = table.focused()
    if (place === undefined) return latest.current.selection
    if (samePlace(place, followed.current)) return latest.current.selection
    followed.current = place
    const next = selectionAt(place)
    latest.current.selection = next
    onSelect(next)
    return next
  }
  latest.current = { rows, selection, header, follow, onColumns }
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
      // Where the focus was, which after Ctrl+A is not the end of the selection: nothing scrolls away.
      const was = table.focused()
      const at = was === undefined || Number.isNaN(was.column) ? latest.current.selection?.head : was
      if (at !== undefined) table.focus(at)
    },
  }))
  /** The cell of an element; its column is NaN for the number of a row. */
  const placeOf = (target: EventTarget): Place | undefined => {
    if (!(target instanceof HTMLElement)) return undefined
    const cell = target.closest('.ag-cell')
    const row = Number(cell?.closest('.ag-row')?.getAttribute('row-index') ?? Number.NaN)
    const column = table.positionOf(Number(cell?.getAttribute('col-id') ?? Number.NaN))
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
    </div>
  )
}

function samePlace(a: Place, b: Place | undefined): boolean {
  return a.row === b?.row && Object.is(a.column, b.column)
}
