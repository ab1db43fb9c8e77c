import { splitStatements } from '../../shared/sql/split.ts'
import type { CatalogIndex } from './complete/catalog.ts'
import { scopeAt } from './complete/scope.ts'
import { quoteName, type Token, tokenize } from './complete/tokens.ts'
import type { Blocked } from './run-state.ts'
import { meantBy, unknownIn } from './unknown.ts'

/** A change to a refused statement after which it is another one, to be judged anew. Offsets are those of its text. */
export interface Fix {
  /** The button says it: `Add` `WHERE order_id = 7`. */
  label: string
  code?: string
  after?: string
  start: number
  end: number
  text: string
  /** The person goes on writing where it ends. */
  open: boolean
}

/** Beyond this nobody's statements are looked through for what might help. */
const longestText = 200_000
/** What a button has room for. */
const longestCode = 60
const mainWords = new Set(['select', 'insert', 'update', 'delete', 'merge', 'values'])
const afterWhere = new Set(
  'group having window order limit offset fetch for returning union intersect except'.split(' '),
)
const afterSelectList = new Set([...afterWhere, 'from', 'into', 'where'])

/** What would help a refused statement, if that can be told. `nearby`: other statements of the same text, the likeliest first. */
export function fixFor(
  text: string,
  blocked: Pick<Blocked, 'columns' | 'message'>,
  nearby: readonly string[],
  catalog: CatalogIndex | undefined,
): Fix | undefined {
  const tokens = tokenize(text)
  const main = tokens.findIndex((token) => isWord(token, mainWords))
  const rest = tokens.slice(main === -1 ? tokens.length : main)
  return missingWhere(text, rest, nearby, catalog) ?? plainColumn(text, rest, blocked) ?? meant(text, blocked, catalog)
}

/** For a name that nothing is known by, one of what there is that is nearly the same: in all places. */
export function meant(
  text: string,
  { message }: Pick<Blocked, 'message'>,
  catalog: CatalogIndex | undefined,
): Fix | undefined {
  const unknown = unknownIn(text, message)
  const code = unknown && catalog && meantBy(text, unknown, catalog)
  const first = unknown?.spans[0]
  const last = unknown?.spans.at(-1)
  if (code === undefined || first === undefined || last === undefined) return undefined
  let put = ''
  let at = first.start
  for (const { start, end } of unknown?.spans ?? []) {
    put += text.slice(at, start) + code
    at = end
  }
  return { label: 'Write', code, start: first.start, end: last.end, text: put, open: false }
}

/** The statements of a text but the one at an offset, nearest first. */
export function nearby(text: string, offset: number): string[] {
  if (text.length > longestText) return []
  return splitStatements(text)
    .filter(({ start, end }) => offset < start || offset >= end)
    .sort((a, b) => Math.abs(a.start - offset) - Math.abs(b.start - offset))
    .map(({ start, end }) => text.slice(start, end))
}

function isWord(token: Token | undefined, words: ReadonlySet<string>): boolean {
  return token?.kind === 'word' && token.depth === 0 && words.has(token.text)
}

const where = new Set(['where'])

/** An UPDATE or DELETE of every row: with the rows that a statement beside it names, or a WHERE to be written. */
function missingWhere(
  text: string,
  tokens: readonly Token[],
  nearby: readonly string[],
  catalog: CatalogIndex | undefined,
): Fix | undefined {
  const [verb] = tokens
  const last = tokens.at(-1)
  if (last === undefined || (verb?.text !== 'update' && verb?.text !== 'delete')) return undefined
  if (tokens.some((token) => isWord(token, where))) return undefined
  const sources = scopeAt(text, text.length).sources
  const table = sources[0]?.table
  if (sources[0] === undefined || table === undefined) return undefined
  const before = tokens.find((token) => isWord(token, new Set(['returning'])))
  const gap = text.includes('\n') ? '\n' : ' '
  const at = before?.start ?? last.end
  const put = (code: string) => (before === undefined ? `${gap}${code}` : `${code}${gap}`)
  const qualifier = sources.length > 1 ? `${quoteName(sources[0].name)}.` : ''
  const known = catalog?.table(table.schema, table.name)
  for (const other of nearby) {
    const conditions = equalities(other, table.name).filter(({ column }) => {
      const found = known?.columns.find(({ name }) => name === column)
      return known === undefined || (found !== undefined && !found.masked)
    })
    const code = `WHERE ${conditions.map(({ column, value }) => `${qualifier}${quoteName(column)} = ${value}`).join(' AND ')}`
    if (conditions.length > 0 && code.length <= longestCode) {
      return { label: 'Add', code, start: at, end: at, text: put(code), open: false }
    }
  }
  return { label: 'Add WHERE…', start: at, end: at, text: put('WHERE '), open: true }
}

/** The columns of a table that a statement compares with a constant, each of which narrows what it means. */
function equalities(sql: string, table: string): { column: string; value: string }[] {
  const tokens = tokenize(sql)
  const begin = tokens.findIndex((token) => isWord(token, where))
  if (begin === -1) return []
  const stop = tokens.findIndex((token, i) => i > begin && isWord(token, afterWhere))
  const condition = tokens.slice(begin + 1, stop === -1 ? tokens.length : stop).filter(({ text }) => text !== ';')
  if (condition.some((token) => isWord(token, new Set(['or'])))) return []
  const { sources } = scopeAt(sql, tokens[begin]?.start ?? 0)
  const named = sources.filter((source) => source.table?.name === table).map(({ name }) => name)
  const parts: Token[][] = [[]]
  for (const token of condition) {
    if (isWord(token, new Set(['and']))) parts.push([])
    else parts.at(-1)?.push(token)
  }
  return parts.flatMap((part) => {
    const [first, dot, second] = part
    const qualified = dot?.text === '.' && first !== undefined && second !== undefined
    // Without a qualifier it is this table's where there is no other.
    if (qualified ? !named.includes(first.text) : sources.length !== 1 || named.length !== 1) return []
    const [column, equals, value, more] = qualified ? part.slice(2) : part
    if (column === undefined || (column.kind !== 'word' && column.kind !== 'quoted')) return []
    if (equals?.text !== '=' || value?.kind !== 'literal' || more !== undefined) return []
    return [{ column: column.text, value: sql.slice(value.start, value.end) }]
  })
}

/** A column that is masked was computed with: as it is, it comes masked. */
function plainColumn(
  text: string,
  tokens: readonly Token[],
  { columns = [] }: Pick<Blocked, 'columns'>,
): Fix | undefined {
  const [masked, another] = columns
  if (masked === undefined || another !== undefined || masked.position < 0 || tokens[0]?.text !== 'select')
    return undefined
  const items = selectList(tokens)
  const item = items[masked.position]
  // What a star stands for moves the others.
  if (item === undefined || items.slice(0, masked.position + 1).some((one) => one.some(({ text }) => text === '*'))) {
    return undefined
  }
  const name = masked.source.split('.').at(-1)
  const at = item.findIndex((token) => (token.kind === 'word' || token.kind === 'quoted') && token.text === name)
  const column = item[at]
  const as = item.findIndex((token) => isWord(token, new Set(['as'])))
  const first = item[0]
  const last = as === -1 ? item.at(-1) : item[as - 1]
  if (column === undefined || first === undefined || last === undefined) return undefined
  const from = item[at - 1]?.text === '.' ? (item[at - 2] ?? column) : column
  const code = text.slice(from.start, column.end)
  if (code === text.slice(first.start, last.end)) return undefined
  return { label: 'Select', code, after: 'as it is', start: first.start, end: last.end, text: code, open: false }
}

/** What a SELECT lists, in order. */
function selectList(tokens: readonly Token[]): Token[][] {
  if (tokens.some((token) => isWord(token, new Set(['distinct', 'union', 'intersect', 'except'])))) return []
  const stop = tokens.findIndex((token) => isWord(token, afterSelectList))
  const items: Token[][] = [[]]
  for (const token of tokens.slice(1, stop === -1 ? tokens.length : stop)) {
    if (token.text === ',' && token.kind === 'punctuation' && token.depth === 0) items.push([])
    else items.at(-1)?.push(token)
  }
  return items
}
