import type { CatalogFunction, CatalogTable } from '../../../shared/rpc/editor.ts'
import { type CatalogIndex, columnsOf, type ReachedColumn } from './catalog.ts'
import { type Scope, scopeAt } from './scope.ts'
import type { Source } from './source.ts'
import type { Token } from './tokens.ts'

/** What a name in a statement stands for. */
export type Meaning =
  | { kind: 'column'; column: ReachedColumn }
  | { kind: 'table'; table: CatalogTable }
  | { kind: 'source'; source: Source; table: CatalogTable | undefined }
  | { kind: 'function'; function: CatalogFunction }

export interface Found {
  meaning: Meaning
  /** UTF-16 offsets of the name in the statement. */
  start: number
  end: number
}

/** What stands at `offset` of a statement; undefined for keywords, literals and names nobody knows. */
export function lookUp(sql: string, offset: number, index: CatalogIndex): Found | undefined {
  const scope = scopeAt(sql, offset)
  const at = scope.tokens.findIndex(
    (t) => (t.kind === 'word' || t.kind === 'quoted') && t.start <= offset && offset <= t.end,
  )
  const token = scope.tokens[at]
  if (token === undefined) return undefined
  const meaning = meaningOf(token, at, scope, index)
  return meaning === undefined ? undefined : { meaning, start: token.start, end: token.end }
}

function meaningOf(token: Token, at: number, scope: Scope, index: CatalogIndex): Meaning | undefined {
  const { tokens } = scope
  const dotted = tokens[at - 1]?.text === '.' ? tokens[at - 2]?.text : undefined
  const name = token.text
  const calls = tokens[at + 1]?.text === '(' && tokens[at + 1]?.start === token.end
  const routine = index.catalog.functions.find((f) => f.name === name && (dotted === undefined || f.schema === dotted))
  if (calls && routine !== undefined) return { kind: 'function', function: routine }
  if (dotted !== undefined) {
    const source = scope.sources.find((s) => s.name === dotted)
    const column = source && columnsOf(source, index).find((c) => c.name === name)
    if (column !== undefined) return { kind: 'column', column }
    const table = index.table(dotted, name)
    return table === undefined ? undefined : { kind: 'table', table }
  }
  const source = scope.sources.find((s) => s.name === name) ?? scope.ctes.find((c) => c.name === name)
  const namesTable = scope.expecting === 'table' || scope.expecting === 'join' || tokens[at + 1]?.text === '.'
  const table = source?.table === undefined ? undefined : index.table(source.table.schema, source.table.name)
  if (source !== undefined && (namesTable || isOwnPlace(source, token))) {
    // A table that goes by its own name is the table.
    return table !== undefined && table.name === name ? { kind: 'table', table } : { kind: 'source', source, table }
  }
  const column = scope.sources.flatMap((s) => columnsOf(s, index)).find((c) => c.name === name)
  if (column !== undefined) return { kind: 'column', column }
  if (source !== undefined) return { kind: 'source', source, table }
  const known = index.table(undefined, name)
  return known === undefined || (token.kind === 'word' && !namesTable) ? undefined : { kind: 'table', table: known }
}

function isOwnPlace(source: Source, token: Token): boolean {
  return source.at.start === token.start
}
