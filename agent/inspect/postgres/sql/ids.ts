import type { ColumnId } from '../analysis.ts'

/**
 * Names joined by dots. A name that itself holds a dot or a quote is quoted as in SQL,
 * so that no table can be named to look like another's column.
 */
export function tableId(schema: string, table: string): string {
  return `${part(schema)}.${part(table)}`
}

export function columnId(schema: string, table: string, column: string): ColumnId {
  return `${part(schema)}.${part(table)}.${part(column)}`
}

/** The names again. An id that is none gives empty names. */
export function splitId(id: string): string[] {
  if (!id.includes('"')) return id.split('.')
  return [...id.matchAll(/"((?:[^"]|"")*)"|([^."]+)/g)].map(
    ([, quoted, bare]) => quoted?.replaceAll('""', '"') ?? bare ?? '',
  )
}

function part(name: string): string {
  return name === '' || name.includes('.') || name.includes('"') ? quoted(name) : name
}

/** As a statement names it, whatever is in it. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
