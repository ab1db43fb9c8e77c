import { type CatalogIndex, columnsOf, type ReachedColumn } from './catalog.ts'
import type { Scope } from './scope.ts'
import { closing, isName, isPlainName, openedBefore, type Token } from './tokens.ts'

/** A place where a value of a column comes. */
export interface ValuePlace {
  column: ReachedColumn
  /** The string that is begun: offsets of what is between its quotes, and whether it has its second one. */
  text: { start: number; end: number; closed: boolean } | undefined
}

const operators = new Set(['=', '<', '>', '!'])

/** Whether a value may come where a word begins, as far as the statement alone tells. */
export function wantsValue({ tokens, from }: Scope): boolean {
  const head = tokens.filter((t) => t.end <= from)
  return comparedEnd(head) !== undefined || (listOpen(head) !== undefined && head[0]?.text === 'insert')
}

/** What stands at `offset`, where a column's value is compared, set or inserted: `status = '`, `status IN ('a', `, `VALUES (1, '`. */
export function valuePlace(sql: string, offset: number, scope: Scope, index: CatalogIndex): ValuePlace | undefined {
  const { tokens } = scope
  const literal = tokens.find(
    (t) => t.kind === 'literal' && t.start < offset && offset <= t.end && sql[t.start] === "'",
  )
  const closed = literal !== undefined && literal.end - literal.start > 1 && sql[literal.end - 1] === "'"
  if (literal !== undefined && closed && offset === literal.end) return undefined
  const from = literal?.start ?? scope.from
  const head = tokens.filter((t) => t.end <= from)
  const column = comparedColumn(head, scope, index) ?? insertedColumn(head, scope, index)
  if (column === undefined) return undefined
  if (literal === undefined) return { column, text: undefined }
  return { column, text: { start: literal.start + 1, end: closed ? literal.end - 1 : literal.end, closed } }
}

function comparedColumn(head: readonly Token[], scope: Scope, index: CatalogIndex): ReachedColumn | undefined {
  const before = comparedEnd(head)
  return before === undefined ? undefined : columnEnding(head.slice(0, before), scope, index)
}

/** How many tokens there are before what a value is compared with; undefined where none is. */
function comparedEnd(head: readonly Token[]): number | undefined {
  let end = head.length
  const isOperator = (t: Token | undefined) => t?.kind === 'punctuation' && operators.has(t.text)
  if (isOperator(head[end - 1])) {
    while (isOperator(head[end - 1])) end -= 1
    return end
  }
  const [last, one, two] = [head.at(-1), head.at(-2), head.at(-3)]
  if (last?.kind === 'word' && last.text === 'from' && one?.text === 'distinct')
    return two?.text === 'not' ? end - 4 : end - 3
  if (last?.kind === 'word' && last.text === 'when') {
    const at = head.findLastIndex((t) => t.kind === 'word' && t.text === 'case' && t.depth === last.depth)
    const stop = head.findIndex((t, i) => i > at && t.kind === 'word' && t.text === 'when' && t.depth === last.depth)
    return at === -1 ? undefined : stop
  }
  const open = listOpen(head)
  if (open === undefined || head[open - 1]?.text !== 'in') return undefined
  return head[open - 2]?.text === 'not' ? open - 2 : open - 1
}

/** The parenthesis of the list whose next item comes. */
function listOpen(head: readonly Token[]): number | undefined {
  const last = head.at(-1)
  if (last?.kind !== 'punctuation' || (last.text !== '(' && last.text !== ',')) return undefined
  return openedBefore(head, last.end).at(-1)
}

/** The column whose name the tokens end with. */
function columnEnding(tokens: readonly Token[], scope: Scope, index: CatalogIndex): ReachedColumn | undefined {
  const name = tokens.at(-1)
  if (!isName(name)) return undefined
  const qualifier = tokens.at(-2)?.text === '.' ? tokens.at(-3)?.text : undefined
  const sources = scope.sources.filter((source) => qualifier === undefined || source.name === qualifier)
  return sources.flatMap((source) => columnsOf(source, index)).find((column) => column.name === name.text)
}

/** `INSERT INTO t (a, b) VALUES (1, `: the column whose turn it is. */
function insertedColumn(head: readonly Token[], scope: Scope, index: CatalogIndex): ReachedColumn | undefined {
  const open = listOpen(head)
  if (open === undefined) return undefined
  const depth = head[open]?.depth
  const values = head.findLastIndex((t, i) => i < open && t.kind === 'word' && t.text === 'values' && t.depth === depth)
  const into = head.findIndex((t) => t.kind === 'word' && t.text === 'into')
  const [target] = scope.sources
  if (values === -1 || into === -1 || head[0]?.text !== 'insert' || target === undefined) return undefined
  const nth = head.slice(open + 1).filter((t) => t.text === ',' && t.depth === (depth ?? 0) + 1).length
  const columns = columnsOf(target, index)
  const list = head.findIndex((t, i) => i > into && i < values && t.text === '(')
  if (list === -1) return columns[nth]
  const listed = head.slice(list + 1, closing(head, list)).filter(isPlainName)
  return columns.find((column) => column.name === listed[nth]?.text)
}
