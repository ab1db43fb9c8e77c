import { Menu } from '@mantine/core'
import type { ExportFormat } from '../../../shared/rpc/contract.ts'
import { Button } from '../../theme/controls.tsx'
import type { Mark, ResultTab } from '../run-state.ts'
import { exportable } from './exportable.ts'
import type { ExportState } from './use-export.ts'

const formats: Readonly<Record<ExportFormat, string>> = {
  csv: 'CSV',
  json: 'JSON',
  xlsx: 'Excel workbook (XLSX)',
}

const sheetRows = 1_048_575

/** Saves the whole result, in three formats. What is missing is said before, and not left out in silence. */
export function ExportMenu({
  result,
  mark,
  busy,
  onExport,
}: {
  result: ResultTab
  mark: Mark | undefined
  busy: boolean
  onExport(format: ExportFormat, partial: boolean): void
}) {
  const { rows, columns } = result
  const { what, words } = exportable(result, mark)
  const part = what === 'part'
  const masked = columns.some((column) => column.masked !== undefined)
  const off = what === 'nothing' || busy
  return (
    <Menu
      classNames={{ dropdown: 'menu menu--float', item: 'mi', label: 'menu__label' }}
      position="bottom-end"
      withinPortal
      unstyled
      disabled={off}
    >
      <Menu.Target>
        <Button size="sm" icon="download" disabled={off} title={what === 'nothing' ? words : undefined}>
          Export
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          {words}
          {masked && ' Masked values are saved masked.'}
        </Menu.Label>
        {(['csv', 'json', 'xlsx'] as const).map((format) => (
          <Menu.Item
            key={format}
            disabled={format === 'xlsx' && rows > sheetRows}
            onClick={() => onExport(format, part)}
          >
            {part ? `Save what is kept as ${formats[format]}…` : `${formats[format]}…`}
          </Menu.Item>
        ))}
        {rows > sheetRows && (
          <Menu.Label>A sheet holds {sheetRows.toLocaleString('en-GB')} rows: too few for this result.</Menu.Label>
        )}
      </Menu.Dropdown>
    </Menu>
  )
}

/** How far an export is, and how it ended. */
export function ExportProgress({ state, onCancel }: { state: ExportState; onCancel(): void }) {
  switch (state.state) {
    case 'idle':
      return null
    case 'done':
      return <span role="status">{state.words}</span>
    case 'failed':
      return (
        <span className="err trunc" role="alert" title={state.words}>
          {state.words}
        </span>
      )
    case 'going': {
      const share = state.total === 0 ? 0 : Math.floor((state.rows / state.total) * 100)
      return (
        <span className="row">
          <span className="num">Exporting {share}%</span>
          <span
            className="bar export__bar"
            role="progressbar"
            aria-label="Export"
            aria-valuenow={share}
            aria-valuemin={0}
            aria-valuemax={100}
          >
            <i style={{ width: `${share}%` }} />
          </span>
          <Button size="sm" onClick={onCancel}>
            Cancel
          </Button>
        </span>
      )
    }
    default:
      return state satisfies never
  }
}
