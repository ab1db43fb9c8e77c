import type { CatalogTable } from '../../../shared/rpc/editor.ts'
import { type CatalogIndex, classNote, keyNotes, tableLabel } from './catalog.ts'
import type { Meaning } from './lookup.ts'
import { quoteName } from './tokens.ts'

/** A meaning for the hover: code in its first line, then sentences. */
export function describe(meaning: Meaning, index: CatalogIndex): { code: string; notes: string[] } {
  switch (meaning.kind) {
    case 'column': {
      const { name, source, table, column } = meaning.column
      if (table === undefined || column === undefined)
        return { code: `${source.name}.${name}`, notes: ['Made by this statement.'] }
      const nulls = column.notNull ? ' NOT NULL' : ''
      const notes = [classSentence(column), ...keyNotes(table, name, index)].filter((note) => note !== undefined)
      return { code: `${tableLabel(table)}.${name} ${column.type}${nulls}`, notes }
    }
    case 'table':
      return { code: `${meaning.table.kind} ${tableLabel(meaning.table)}`, notes: tableNotes(meaning.table) }
    case 'source': {
      const { source, table } = meaning
      if (table === undefined) return { code: `${source.name} (${source.columns?.join(', ') ?? '…'})`, notes: [] }
      return { code: `${source.name} = ${tableLabel(table)}`, notes: tableNotes(table) }
    }
    case 'function': {
      const { name, arguments: args, result, kind, overloads } = meaning.function
      const more = overloads === 0 ? [] : [`And ${overloads} more of this name.`]
      return { code: `${kind} ${name}(${args}) → ${result}`, notes: more }
    }
    default:
      return meaning satisfies never
  }
}

function classSentence(column: CatalogTable['columns'][number]): string | undefined {
  const note = classNote(column)
  if (note === undefined) return undefined
  return column.masked ? `Class ${column.dataClass}: masked for you.` : `Class ${note}.`
}

function tableNotes(table: CatalogTable): string[] {
  const masked = table.columns.filter((column) => column.masked)
  const names = masked.map((column) => column.name).join(', ')
  return [`${table.columns.length} columns`, ...(masked.length === 0 ? [] : [`masked for you: ${names}`])]
}

/** A table as the statement that would make it, for reading. */
export function ddlOf(table: CatalogTable, index: CatalogIndex): string {
  const name = `${quoteName(table.schema)}.${quoteName(table.name)}`
  const width = Math.max(...table.columns.map((column) => quoteName(column.name).length), 0)
  const columns = table.columns.map((column) => {
    const nulls = column.notNull ? ' NOT NULL' : ''
    return `  ${quoteName(column.name).padEnd(width)} ${column.type}${nulls}`
  })
  if (table.kind === 'view' || table.kind === 'materialized') {
    return `CREATE ${table.kind === 'view' ? 'VIEW' : 'MATERIALIZED VIEW'} ${name} (\n${columns.join(',\n')}\n)`
  }
  const keys = index.keysOf(table).map((key) => `  CONSTRAINT ${quoteName(key.name)} ${key.definition}`)
  const constraints = new Set(index.keysOf(table).map((key) => key.name))
  const indexes = index.catalog.indexes
    .filter((i) => i.schema === table.schema && i.table === table.name && !constraints.has(i.name))
    .map((i) => `\n${i.definition};`)
  return `CREATE ${table.kind === 'foreign' ? 'FOREIGN TABLE' : 'TABLE'} ${name} (\n${[...columns, ...keys].join(',\n')}\n);${indexes.join('')}`
}
