import { Menu } from '@mantine/core'
import type { ExportFormat } from '../../../shared/rpc/contract.ts'
import { Button } from '../../theme/controls.tsx'
import type { ResultTab } from '../run-state.ts'
import type { ExportState } from './use-export.ts'

const formats: Readonly<Record<ExportFormat, string>> = {
  csv: 'CSV',
  json: 'JSON',
  xlsx: 'Excel workbook (XLSX)',
}

const sheetRows = 1_048_575

/** Saves the whole result, in three formats. What was not kept is said before, and not left out in silence. */
export function ExportMenu({
  result,
  busy,
  onExport,
}: {
  result: ResultTab
  busy: boolean
  onExport(format: ExportFormat, partial: boolean): void
}) {
  const { complete, truncated, rows, columns } = result
  const masked = columns.some((column) => column.masked !== undefined)
  const off = !complete || busy
  const all = `${rows.toLocaleString('en-GB')} row${rows === 1 ? '' : 's'}`
  return (
    <Menu
      classNames={{ dropdown: 'menu menu--float', item: 'mi', label: 'menu__label' }}
      position="bottom-end"
      withinPortal
      unstyled
      disabled={off}
    >
      <Menu.Target>
        <Button
          size="sm"
          icon="download"
          disabled={off}
          title={complete ? undefined : 'The result is still coming in.'}
        >
          Export
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          {truncated
            ? `The result has more rows than were kept. Only the first ${all} can be saved; narrow the statement for all of it.`
            : `All ${all}, from this computer: nothing is run again.`}
          {masked && ' Masked values are saved masked.'}
        </Menu.Label>
        {(['csv', 'json', 'xlsx'] as const).map((format) => (
          <Menu.Item
            key={format}
            disabled={format === 'xlsx' && rows > sheetRows}
            onClick={() => onExport(format, truncated)}
          >
            {truncated ? `Save what is kept as ${formats[format]}…` : `${formats[format]}…`}
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
