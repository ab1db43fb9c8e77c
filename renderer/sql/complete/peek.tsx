import { useQuery } from '@tanstack/react-query'
import { type ReactNode, useEffect, useRef, useState } from 'react'
import type { CatalogFunction, CatalogTable, CatalogType, DefinitionInput } from '../../../shared/rpc/editor.ts'
import { Icon, type IconName } from '../../decisions/icon.tsx'
import { SqlText } from '../../decisions/sql-text.tsx'
import { useRpc } from '../../rpc/context.tsx'
import { problemOf } from '../../rpc/problem.ts'
import { IconButton, Spinner } from '../../theme/controls.tsx'
import { type CatalogIndex, keyNotes } from './catalog.ts'
import { ddlOf, typeDdl, viewDdl } from './describe.ts'
import { signatureText } from './signatures.ts'

/** What has a definition to look at. `signature`: of the function's, the one that was meant. */
export type Defined =
  | { kind: 'table'; table: CatalogTable }
  | { kind: 'function'; function: CatalogFunction; signature: number }
  | { kind: 'type'; type: CatalogType }

interface Props {
  of: Defined
  index: CatalogIndex
  connection: string
  onClose(): void
}

/** What a table, view, function or type is, and the statement that would make it. Esc goes back to the text. */
export function Peek({ of, index, connection, onClose }: Props) {
  const frame = { onClose }
  switch (of.kind) {
    case 'table': {
      const { table } = of
      return isView(table) ? (
        <ViewPeek {...frame} table={table} index={index} connection={connection} />
      ) : (
        <Frame {...frame} name={full(table)} what={table.kind} icon="table" ddl={ddlOf(table, index)}>
          <Columns table={table} index={index} />
        </Frame>
      )
    }
    case 'function':
      return (
        <FunctionPeek
          {...frame}
          key={`${full(of.function)} ${of.signature}`}
          routine={of.function}
          meant={of.signature}
          connection={connection}
        />
      )
    case 'type':
      return <Frame {...frame} name={full(of.type)} what={of.type.kind} icon="hash" ddl={typeDdl(of.type)} />
    default:
      return of satisfies never
  }
}

function full({ schema, name }: { schema: string; name: string }): string {
  return `${schema}.${name}`
}

function isView({ kind }: CatalogTable): boolean {
  return kind === 'view' || kind === 'materialized'
}

/** `ddl`: undefined while it is read. */
function Frame(props: {
  name: string
  what: string
  icon: IconName
  ddl: string | undefined
  onClose(): void
  children?: ReactNode
}) {
  const { name, what, icon, ddl, onClose, children } = props
  const panel = useRef<HTMLElement>(null)
  useEffect(() => {
    // Where there are several, arrow keys choose among them at once.
    const chosen = panel.current?.querySelector<HTMLInputElement>('input:checked')
    ;(chosen ?? panel.current)?.focus()
  }, [])
  const copy = () => {
    navigator.clipboard.writeText(ddl ?? '').catch((error: unknown) => console.warn('Nothing was copied.', error))
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
        <Icon name={icon} size={14} />
        <b className="mono grow trunc">{name}</b>
        <span className="t3 sm">{what}</span>
        {ddl !== undefined && <IconButton icon="copy" label="Copy definition" onClick={copy} />}
        <IconButton icon="x" label="Close definition" onClick={onClose} />
      </div>
      <div className="peek__bd">
        {children}
        {ddl !== undefined && (
          <pre>
            <SqlText text={ddl} />
          </pre>
        )}
      </div>
    </aside>
  )
}

/** A definition as the database has it now. */
function useDefinition(connection: string, of: DefinitionInput['of']) {
  const { queries } = useRpc()
  const query = useQuery(queries.editor.definition.queryOptions({ input: { connection, of }, gcTime: 0, retry: false }))
  return { text: query.data?.text, problem: query.error === null ? undefined : problemOf(query.error) }
}

function Reading({ problem }: { problem: { message: string; hint?: string | undefined } | undefined }) {
  if (problem === undefined) return <Spinner label="Reading the definition" />
  return (
    <p className="t2 sm" role="alert">
      The definition could not be read: {problem.message} {problem.hint}
    </p>
  )
}

function ViewPeek({ table, index, connection, onClose }: Omit<Props, 'of'> & { table: CatalogTable }) {
  const { schema, name } = table
  const { text, problem } = useDefinition(connection, { kind: 'view', schema, name })
  return (
    <Frame
      name={full(table)}
      what={table.kind}
      icon="eye"
      ddl={text === undefined ? undefined : viewDdl(table, text)}
      onClose={onClose}
    >
      <Columns table={table} index={index} />
      {text === undefined && <Reading problem={problem} />}
    </Frame>
  )
}

function FunctionPeek(props: { routine: CatalogFunction; meant: number; connection: string; onClose(): void }) {
  const { routine, meant, connection, onClose } = props
  const [chosen, choose] = useState(meant)
  const { signatures } = routine
  const signature = signatures[chosen] ?? signatures[0]
  const { text, problem } = useDefinition(connection, { kind: 'function', id: signature?.id ?? 0 })
  return (
    <Frame name={full(routine)} what={routine.kind} icon="bolt" ddl={text?.trimEnd()} onClose={onClose}>
      {signatures.length > 1 && (
        <div className="peek__sigs" role="radiogroup" aria-label="Functions of this name">
          {signatures.map((one, i) => (
            <label key={one.id} className="peek__sig mono">
              <input type="radio" name="signature" checked={i === chosen} onChange={() => choose(i)} />
              {signatureText(routine, one)}
            </label>
          ))}
        </div>
      )}
      {signature?.comment !== undefined && <p className="t2 sm">{signature.comment}</p>}
      {text === undefined && <Reading problem={problem} />}
    </Frame>
  )
}

function Columns({ table, index }: { table: CatalogTable; index: CatalogIndex }) {
  return (
    <>
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
          {table.columns.map((column) => {
            const labels = index.labelsOf(column)
            return (
              <tr key={column.name}>
                <td className="mono">{column.name}</td>
                <td className="t2">
                  {column.type}
                  {column.notNull && <span className="t3"> not null</span>}
                  {labels.length > 0 && <div className="t3 sm">{labels.join(', ')}</div>}
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
            )
          })}
        </tbody>
      </table>
      {index.catalog.partial && <p className="t2 sm">{index.catalog.partial}</p>}
    </>
  )
}
