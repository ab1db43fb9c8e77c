import type { Source } from './source.ts'
import { closing, dottedName, isPlainName, openedBefore, skipWords, type Token } from './tokens.ts'

/** Places that the words right before them tell, whatever clause they are in. */

/** `x::` and `CAST(x AS`: a type comes. */
export function wantsType(head: readonly Token[]): boolean {
  const last = head.at(-1)
  if (last?.text === ':' && last.kind === 'punctuation') {
    const colon = head.at(-2)
    return colon?.text === ':' && colon.end === last.start
  }
  if (last?.kind !== 'word' || last.text !== 'as') return false
  const open = head.findLastIndex((t) => t.text === '(' && t.kind === 'punctuation' && t.depth === last.depth - 1)
  return head[open - 1]?.text === 'cast'
}

/** `JOIN b USING (`: a column that both sides have. */
export function wantsShared(head: readonly Token[]): boolean {
  const open = listOpening(head)
  return head[open - 1]?.text === 'using' && head.slice(0, open).some((t) => t.text === 'join')
}

/** `(` and `(a,`: the index of the parenthesis that opens the list whose next item comes; -1 where none does. */
export function listOpening(head: readonly Token[]): number {
  const last = head.at(-1)
  if (last === undefined || (last.text !== '(' && last.text !== ',')) return -1
  const depth = last.text === '(' ? last.depth : last.depth - 1
  return head.findLastIndex((t) => t.text === '(' && t.depth === depth)
}

const tableStatements: ReadonlyMap<string, RegExp> = new Map([
  ['grant', /^on$/],
  ['revoke', /^on$/],
  ['lock', /^lock$/],
  ['copy', /^copy$/],
  ['refresh', /^(?:view|concurrently)$/],
  ['drop', /^(?:view|exists)$/],
  ['alter', /^(?:view|exists)$/],
])

/** `GRANT SELECT ON`, `LOCK`, `DROP VIEW`: a table or view comes. */
export function wantsTable(head: readonly Token[]): boolean {
  const last = head.at(-1)
  const first = head[0]
  if (first?.kind !== 'word' || last?.kind !== 'word') return false
  if (tableStatements.get(first.text)?.test(last.text) === true) return true
  return isIndex(head) && last.text === 'on'
}

/** `ALTER TABLE t DROP COLUMN`, `CREATE INDEX ON t (`, `COPY t (`: the table whose columns come; undefined where none do. */
export function definedTable(head: readonly Token[]): Source | undefined {
  const last = head.at(-1)
  const first = head[0]
  if (first?.kind !== 'word' || last === undefined) return undefined
  if (first.text === 'alter' && head[1]?.text === 'table')
    return last.text === 'column' ? tableAt(head, skipWords(head, 2, beforeTable)) : undefined
  if (listOpening(head) === -1) return undefined
  if (first.text === 'copy') return tableAt(head, 1)
  if (!isIndex(head)) return undefined
  const on = head.findIndex((t) => t.text === 'on')
  return on === -1 ? undefined : tableAt(head, skipWords(head, on + 1, beforeTable))
}

/** `ON CONFLICT … DO UPDATE SET`: what was to be inserted goes by a name of its own. */
export function excludedSource(head: readonly Token[], target: Source | undefined): Source[] {
  const conflict = head.findLastIndex((t) => t.kind === 'word' && t.text === 'conflict')
  if (conflict === -1 || target?.table === undefined) return []
  const after = head.slice(conflict).filter((t) => t.kind === 'word')
  if (!after.some((t) => t.text === 'set') || after.some((t) => t.text === 'returning')) return []
  return [{ name: 'excluded', table: target.table, at: target.at }]
}

/** Names in the list around a place, without the one that is being written there. */
export function listedNames(tokens: readonly Token[], offset: number): string[] {
  const open = openedBefore(tokens, offset).at(-1)
  if (open === undefined) return []
  return tokens
    .slice(open + 1, closing(tokens, open))
    .filter((t) => t.kind !== 'punctuation' && !(t.start <= offset && offset <= t.end))
    .map((t) => t.text)
}

function isIndex(head: readonly Token[]): boolean {
  return head[0]?.text === 'create' && (head[1]?.text === 'index' || head[2]?.text === 'index')
}

/** Words that may stand between a command and the name of its table. */
const beforeTable = ['if', 'exists', 'only']

function tableAt(tokens: readonly Token[], at: number): Source | undefined {
  const names = isPlainName(tokens[at]) ? dottedName(tokens, at) : []
  const last = names.at(-1)
  if (last === undefined) return undefined
  const table = { schema: names.at(-2)?.text, name: last.text }
  return { name: last.text, table, at: { start: last.start, end: last.end } }
}
