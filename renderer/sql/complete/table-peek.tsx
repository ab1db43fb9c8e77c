import { useEffect, useRef } from 'react'
import type { CatalogTable } from '../../../shared/rpc/editor.ts'
import { Icon } from '../../decisions/icon.tsx'
import { SqlText } from '../../decisions/sql-text.tsx'
import { IconButton } from '../../theme/controls.tsx'
import { type CatalogIndex, keyNotes } from './catalog.ts'
import { ddlOf } from './describe.ts'

/** A table's columns, keys and classes, and the statement that would make it. Esc goes back to the text. */
export function TablePeek({ table, index, onClose }: { table: CatalogTable; index: CatalogIndex; onClose(): void }) {
  const panel = useRef<HTMLElement>(null)
  useEffect(() => panel.current?.focus(), [])
  const name = `${table.schema}.${table.name}`
  const ddl = ddlOf(table, index)
  const copy = () => {
    navigator.clipboard.writeText(ddl).catch((error: unknown) => console.warn('Nothing was copied.', error))
  }
  return (
    <aside
      className="peek"
      aria-label={`Definition of ${name}`}
      ref={panel}
      tabIndex={-1}
      onKeyDown={(event) => {
        if (event.key === 'Escape') onClose()
      }}
    >
      <div className="peek__hd">
        <Icon name="table" size={14} />
        <b className="mono grow trunc">{name}</b>
        <span className="t3 sm">{table.kind}</span>
        <IconButton icon="copy" label="Copy definition" onClick={copy} />
        <IconButton icon="x" label="Close definition" onClick={onClose} />
      </div>
      <div className="peek__bd">
        <table aria-label="Columns">
          <thead>
            <tr>
              <th>Column</th>
              <th>Type</th>
              <th>Key</th>
              <th>Class</th>
            </tr>
          </thead>
          <tbody>
            {table.columns.map((column) => (
              <tr key={column.name}>
                <td className="mono">{column.name}</td>
                <td className="t2">
                  {column.type}
                  {column.notNull && <span className="t3"> not null</span>}
                </td>
                <td className="t2">{keyNotes(table, column.name, index).join(', ')}</td>
                <td>
                  {column.dataClass !== undefined && (
                    <span className={column.masked ? 'fg d-masked row row--4' : 'row row--4 t2'}>
                      {column.masked && <Icon name="lock" size={12} />}
                      {column.dataClass}
                      <span className="visually-hidden">{column.masked ? ', masked for you' : ', in the clear'}</span>
                    </span>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
        {index.catalog.partial && <p className="t2 sm">{index.catalog.partial}</p>}
        <pre>
          <SqlText text={ddl} />
        </pre>
      </div>
    </aside>
  )
}
