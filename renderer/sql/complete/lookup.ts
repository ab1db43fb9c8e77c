import type { CatalogFunction, CatalogTable, CatalogType } from '../../../shared/rpc/editor.ts'
import { type CatalogIndex, columnsOf, type ReachedColumn } from './catalog.ts'
import { type Scope, scopeAt } from './scope.ts'
import { fitting, givenArguments } from './signatures.ts'
import type { Source } from './source.ts'
import type { Token } from './tokens.ts'

/** What a name in a statement stands for. */
export type Meaning =
  | { kind: 'column'; column: ReachedColumn }
  | { kind: 'table'; table: CatalogTable }
  | { kind: 'source'; source: Source; table: CatalogTable | undefined }
  /** `signature`: the one that fits the call. */
  | { kind: 'function'; function: CatalogFunction; signature: number }
  | { kind: 'type'; type: CatalogType }

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
  const routine = calls ? index.routine(dotted, name) : undefined
  if (routine !== undefined) {
    return { kind: 'function', function: routine, signature: fitting(routine, givenArguments(tokens, at)) }
  }
  const type = index.type(dotted, name)
  if (scope.expecting === 'type' && type !== undefined) return { kind: 'type', type }
  if (dotted !== undefined) {
    const source = scope.sources.find((s) => s.name === dotted)
    const column = source && columnsOf(source, index).find((c) => c.name === name)
    if (column !== undefined) return { kind: 'column', column }
    const table = index.table(dotted, name)
    if (table !== undefined) return { kind: 'table', table }
    return type === undefined ? undefined : { kind: 'type', type }
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
  if (known !== undefined && (token.kind === 'quoted' || namesTable)) return { kind: 'table', table: known }
  return type === undefined ? undefined : { kind: 'type', type }
}

function isOwnPlace(source: Source, token: Token): boolean {
  return source.at.start === token.start
}
