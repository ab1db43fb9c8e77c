import type { CatalogTable, CatalogType } from '../../../shared/rpc/editor.ts'
import { type CatalogIndex, classNote, keyNotes, tableLabel } from './catalog.ts'
import type { Meaning } from './lookup.ts'
import { signatureText } from './signatures.ts'
import { quoteName, quoteText } from './tokens.ts'

/** A meaning for the hover: code in its first line, then sentences. */
export function describe(meaning: Meaning, index: CatalogIndex): { code: string; notes: string[] } {
  switch (meaning.kind) {
    case 'column': {
      const { name, source, table, column } = meaning.column
      if (table === undefined || column === undefined)
        return { code: `${source.name}.${name}`, notes: ['Made by this statement.'] }
      const nulls = column.notNull ? ' NOT NULL' : ''
      const type = index.typeOf(column)
      const notes = [
        classSentence(column),
        ...keyNotes(table, name, index),
        ...(type === undefined ? [] : typeNotes(type, index.labelsOf(column))),
      ].filter((note) => note !== undefined)
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
      const { function: routine, signature } = meaning
      const { kind, signatures } = routine
      // The one that is called, and those around it.
      const shown = signatures.filter((_, i) => i === signature)
      const others = signatures.filter((_, i) => i !== signature)
      const lines = [...shown, ...others.slice(0, mostSignatures - 1)].map((one) => signatureText(routine, one))
      const more = others.length - (mostSignatures - 1)
      return {
        code: `${kind} ${lines.join('\n')}`,
        notes: [
          ...shown.flatMap(({ comment }) => comment ?? []),
          ...(more > 0 ? [`And ${more} more of this name.`] : []),
        ],
      }
    }
    case 'type': {
      const { type } = meaning
      return {
        code: `${type.kind === 'base' ? 'type' : type.kind} ${tableLabel(type)}`,
        notes: typeNotes(type, type.labels),
      }
    }
    default:
      return meaning satisfies never
  }
}

const mostSignatures = 6
const mostLabels = 24

/** What values of a type are: labels, fields, or what they are made of. */
function typeNotes(type: CatalogType, labels: readonly string[]): string[] {
  const parts = [
    type.kind === 'domain' && type.base ? [`${tableLabel(type)}:`, type.base.type, ...type.constraints].join(' ') : '',
    type.kind === 'range' && type.base ? `${tableLabel(type)}: a range of ${type.base.type}` : '',
    type.kind === 'composite'
      ? `${tableLabel(type)}: ${type.fields.map((field) => `${field.name} ${field.type}`).join(', ')}`
      : '',
    labels.length === 0 ? '' : `One of ${enumerated(labels)}`,
  ]
  return parts.filter((part) => part !== '')
}

function enumerated(labels: readonly string[]): string {
  const more = labels.length - mostLabels
  return labels.slice(0, mostLabels).join(', ') + (more > 0 ? `, and ${more} more` : '')
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

/** A type as the statement that would make it, for reading. */
export function typeDdl(type: CatalogType): string {
  const name = `${quoteName(type.schema)}.${quoteName(type.name)}`
  switch (type.kind) {
    case 'enum':
      return `CREATE TYPE ${name} AS ENUM (\n${type.labels.map((label) => `  ${quoteText(label)}`).join(',\n')}\n);`
    case 'composite':
      return `CREATE TYPE ${name} AS (\n${type.fields.map((f) => `  ${quoteName(f.name)} ${f.type}`).join(',\n')}\n);`
    case 'domain':
      return `CREATE DOMAIN ${name} AS ${[type.base?.type ?? '', ...type.constraints].join('\n  ')};`
    case 'range':
      return `CREATE TYPE ${name} AS RANGE (\n  SUBTYPE = ${type.base?.type ?? ''}\n);`
    case 'base':
      return `CREATE TYPE ${name};`
    default:
      return type.kind satisfies never
  }
}

/** A view as the statement that would make it; `query`: what it stands for, as the database writes it. */
export function viewDdl({ schema, name, kind }: CatalogTable, query: string): string {
  const create = kind === 'materialized' ? 'CREATE MATERIALIZED VIEW' : 'CREATE OR REPLACE VIEW'
  return `${create} ${quoteName(schema)}.${quoteName(name)} AS\n${query.trim()}`
}

/** A table as the statement that would make it, for reading. */
export function ddlOf(table: CatalogTable, index: CatalogIndex): string {
  const name = `${quoteName(table.schema)}.${quoteName(table.name)}`
  const width = Math.max(...table.columns.map((column) => quoteName(column.name).length), 0)
  const columns = table.columns.map((column) => {
    const nulls = column.notNull ? ' NOT NULL' : ''
    return `  ${quoteName(column.name).padEnd(width)} ${column.type}${nulls}`
  })
  const keys = index.keysOf(table).map((key) => `  CONSTRAINT ${quoteName(key.name)} ${key.definition}`)
  const constraints = new Set(index.keysOf(table).map((key) => key.name))
  const indexes = index.catalog.indexes
    .filter((i) => i.schema === table.schema && i.table === table.name && !constraints.has(i.name))
    .map((i) => `\n${i.definition};`)
  return `CREATE ${table.kind === 'foreign' ? 'FOREIGN TABLE' : 'TABLE'} ${name} (\n${[...columns, ...keys].join(',\n')}\n);${indexes.join('')}`
}
