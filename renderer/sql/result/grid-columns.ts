import type { ColDef } from 'ag-grid-community'
import type { ResultColumn } from '../../../shared/rpc/contract.ts'
import { shownCell } from './cell.ts'
import { isNumber } from './fields.ts'
import { GridHeader, type HeaderActions, type HeaderParams } from './header.ts'
import type { Place } from './selection.ts'
import { numberWidth } from './widths.ts'

/** A row of the window that the grid asked for, with its number in the result. */
export interface Row {
  n: number
  cells: readonly (string | null)[]
}

/** The number of each row. */
export const numberColumn: ColDef<Row> = {
  colId: 'row',
  headerName: '',
  valueGetter: ({ data }) => data?.n,
  pinned: 'left',
  width: numberWidth(0),
  resizable: false,
  sortable: false,
  suppressMovable: true,
  cellClass: 'rn',
  headerClass: 'rn',
}

/** A column of a result. */
export function columnDef(
  column: ResultColumn,
  index: number,
  width: number,
  selected: (place: Place) => boolean,
  actions: HeaderActions,
): ColDef<Row> {
  const right = isNumber(column.type)
  const { masked } = column
  const reason = masked === undefined ? undefined : `Masked by ${masked.policyId}. ${masked.reason}`
  return {
    colId: String(index),
    headerName: column.name,
    headerComponent: GridHeader,
    headerComponentParams: { of: column, index, actions } satisfies HeaderParams,
    headerClass: [right && 'r', masked && 'mask'].filter((c) => typeof c === 'string'),
    valueGetter: ({ data }) => data?.cells[index],
    valueFormatter: ({ value }) => (value === undefined ? '' : shownCell(value)),
    // What costs each cell is asked of each column: a fast scroll makes hundreds of cells for a frame.
    ...(reason === undefined ? {} : { tooltipValueGetter: () => reason }),
    cellClass: [right && 'r', masked && 'mask'].filter((c) => typeof c === 'string'),
    cellClassRules: {
      // Nobody's text: a value that is the word itself stands upright.
      null: ({ value, data }) => data !== undefined && (value === null || value === ''),
      'is-in': ({ rowIndex }) => selected({ row: rowIndex, column: index }),
    },
    width,
    sortable: false,
  }
}
