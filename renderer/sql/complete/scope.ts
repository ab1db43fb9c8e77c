import { definedTable, excludedSource, listOpening, wantsShared, wantsTable, wantsType } from './places.ts'
import type { Source } from './source.ts'
import { closing, dottedName, isName, isPlainName, openedBefore, skipWords, type Token, tokenize } from './tokens.ts'

/** What a person is writing at a place; `name`: one of their own, which nobody can know. */
export type Expecting =
  | 'table'
  | 'join'
  | 'condition'
  | 'column'
  /** One that both sides of a join have. */
  | 'shared'
  | 'insert-columns'
  | 'type'
  | 'keyword'
  | 'expression'
  | 'name'

export interface Scope {
  expecting: Expecting
  /** Names before a dot: `c.` or `public.customers.`. */
  qualifier: readonly string[]
  /** Start of the word that is being written; the place itself where none is. */
  from: number
  /** Tables and the like that are in reach, the nearest first. */
  sources: readonly Source[]
  ctes: readonly Source[]
  tokens: readonly Token[]
  /** How the statement's first word is written; undefined where it is the word that is being written, or there is none. */
  letters: 'upper' | 'lower' | undefined
}

const clauseWords = new Set(
  `select from where group having order limit offset fetch window union intersect except on using set values returning into
  join update delete insert merge when with for`.split(/\s+/),
)
/** Words after which a table is meant. */
const tableWords = new Set([
  'from',
  'join',
  'update',
  'into',
  'table',
  'only',
  'truncate',
  'references',
  'analyze',
  'vacuum',
])
const setWords = new Set(['union', 'intersect', 'except'])
const joinWords = new Set(['join', 'cross', 'natural', 'left', 'right', 'full', 'inner', 'outer'])
const afterFrom = new Set([
  ...[...clauseWords].filter((word) => word !== 'from'),
  ...joinWords,
  'tablesample',
  'conflict',
  'do',
  'overriding',
  'default',
])

/** What is in reach at `offset` of a statement that may be unfinished. Pure; never throws. */
export function scopeAt(sql: string, offset: number): Scope {
  const tokens = tokenize(sql)
  const current = tokens.findIndex((t) => isName(t) && t.start < offset && offset <= t.end)
  const word = tokens[current]
  const before = word === undefined ? tokens.filter((t) => t.end <= offset) : tokens.slice(0, current)
  const qualifier = qualifierBefore(before)
  const head = before.slice(0, before.length - qualifier.length * 2)
  const blocks = blocksAround(tokens, offset)
  const ctes = blocks.flatMap((block) => ctesOf(block))
  const defined = definedTable(head)
  const named = blocks.flatMap((block) => sourcesOf(block, ctes))
  const sources = defined === undefined ? [...named, ...excludedSource(head, named[0])] : [defined]
  return {
    expecting: defined === undefined ? expectingAfter(head, blocks[0] ?? [], offset) : 'column',
    qualifier,
    from: word?.start ?? offset,
    sources,
    ctes,
    tokens,
    letters: lettersOf(sql, before[0]),
  }
}

function lettersOf(sql: string, first: Token | undefined): Scope['letters'] {
  if (first?.kind !== 'word') return undefined
  return sql.slice(first.start, first.end) === first.text ? 'lower' : 'upper'
}

function qualifierBefore(before: readonly Token[]): string[] {
  const names: string[] = []
  for (let i = before.length - 1; i >= 1; i -= 2) {
    const name = before[i - 1]
    if (before[i]?.text !== '.' || !isName(name)) break
    names.unshift(name.text)
  }
  return names
}

function expectingAfter(head: readonly Token[], block: readonly Token[], offset: number): Expecting {
  const last = head.at(-1)
  if (last === undefined) return 'keyword'
  if (wantsType(head)) return 'type'
  if (wantsShared(head)) return 'shared'
  if (wantsTable(head)) return 'table'
  if (last.kind === 'word') {
    if (tableWords.has(last.text)) return last.text === 'join' ? 'join' : 'table'
    if (last.text === 'on') return 'condition'
    if (last.text === 'as' && head.length > 1 && !isCteBody(block, last)) return 'name'
  }
  if (isInsertList(head)) return 'insert-columns'
  const inBlock = block.filter((t) => t.end <= offset && t.depth === (block[0]?.depth ?? 0))
  const clause = inBlock.findLast((t) => t.kind === 'word' && clauseWords.has(t.text))
  if (clause?.text === 'from' && last.text === ',') return 'table'
  if (clause !== undefined && ['from', 'join', 'into', 'update'].includes(clause.text)) return 'keyword'
  if (clause?.text === 'set' && (last.text === 'set' || last.text === ',')) return 'column'
  return clause === undefined ? 'keyword' : 'expression'
}

/** `WITH recent AS`, and `CREATE VIEW recent AS`: a statement follows. */
function isCteBody(block: readonly Token[], as: Token): boolean {
  const first = block[0]?.text
  if (first === 'create') return true
  return (
    first === 'with' && as.depth === block[0]?.depth && !block.some((t) => t.start < as.start && isMain(t, as.depth))
  )
}

function isMain(token: Token, depth: number): boolean {
  return (
    token.kind === 'word' &&
    token.depth === depth &&
    ['select', 'insert', 'update', 'delete', 'merge'].includes(token.text)
  )
}

/** `INSERT INTO t (a, b` */
function isInsertList(head: readonly Token[]): boolean {
  const open = listOpening(head)
  let i = open - 1
  while (i >= 0 && (isPlainName(head[i]) || head[i]?.text === '.')) i -= 1
  return open > 0 && i < open - 1 && head[i]?.text === 'into'
}

/** The query blocks around a place, innermost first: each is the tokens of its own parentheses and all that is deeper. */
function blocksAround(tokens: readonly Token[], offset: number): Token[][] {
  const blocks: Token[][] = [segment(tokens, 0, offset)]
  for (const open of openedBefore(tokens, offset)) {
    const depth = tokens[open]?.depth ?? 0
    const inside = tokens.slice(open + 1, closing(tokens, open))
    // Only a subquery is a block of its own; other parentheses belong to the query around them.
    if (inside[0]?.text === 'select' || inside[0]?.text === 'with') blocks.unshift(segment(inside, depth + 1, offset))
  }
  return blocks
}

/** The branch of a UNION that holds the place, with the WITH in front of all of them. */
function segment(tokens: readonly Token[], depth: number, offset: number): Token[] {
  const cuts = tokens.flatMap((t, i) => (t.depth === depth && t.kind === 'word' && setWords.has(t.text) ? [i] : []))
  if (cuts.length === 0) return [...tokens]
  const next = cuts.findIndex((i) => (tokens[i]?.start ?? 0) >= offset)
  const from = next === 0 ? 0 : (cuts[(next === -1 ? cuts.length : next) - 1] ?? -1) + 1
  const to = next === -1 ? tokens.length : (cuts[next] ?? tokens.length)
  const prefix = from > 0 && tokens[0]?.text === 'with' ? tokens.slice(0, mainStart(tokens)) : []
  return [...prefix, ...tokens.slice(from === 0 ? 0 : from, to)]
}

/** Index of the first token after the WITH list. */
function mainStart(tokens: readonly Token[]): number {
  const depth = tokens[0]?.depth ?? 0
  const at = tokens.findIndex(
    (t) =>
      t.depth === depth &&
      t.kind === 'word' &&
      ['select', 'insert', 'update', 'delete', 'merge', 'values'].includes(t.text),
  )
  return at === -1 ? tokens.length : at
}

function ctesOf(block: readonly Token[]): Source[] {
  if (block[0]?.text !== 'with') return []
  const depth = block[0].depth
  const found: Source[] = []
  let i = block[1]?.text === 'recursive' ? 2 : 1
  while (i < block.length) {
    const name = block[i]
    if (!isPlainName(name)) break
    i += 1
    let columns: string[] | undefined
    if (block[i]?.text === '(') {
      const close = closing(block, i)
      columns = block
        .slice(i + 1, close)
        .filter(isName)
        .map((t) => t.text)
      i = close + 1
    }
    while (block[i]?.kind === 'word' && ['as', 'not', 'materialized'].includes(block[i]?.text ?? '')) i += 1
    if (block[i]?.text !== '(' || block[i]?.depth !== depth) break
    const close = closing(block, i)
    const known = columns ?? outputs(block.slice(i + 1, close), found)
    found.push({
      name: name.text,
      at: { start: name.start, end: name.end },
      ...(known === undefined ? {} : { columns: known }),
    })
    i = close + 1
    if (block[i]?.text !== ',') break
    i += 1
  }
  return found
}

/** Tables, expressions and subqueries that a block names in FROM, JOIN, UPDATE, INTO and USING. */
function sourcesOf(block: readonly Token[], ctes: readonly Source[]): Source[] {
  const depth = block.find((t) => t.kind === 'word')?.depth ?? 0
  const start = block[0]?.text === 'with' ? mainStart(block) : 0
  const found: Source[] = []
  let inFrom = false
  for (let i = start; i < block.length; i += 1) {
    const token = block[i]
    if (token === undefined || token.depth !== depth) continue
    const opens = token.kind === 'word' && ['from', 'join', 'update', 'into', 'using'].includes(token.text)
    if (opens) inFrom = true
    else if (token.kind === 'word' && afterFrom.has(token.text)) inFrom = false
    if (!opens && !(inFrom && token.text === ',')) continue
    const read = readSource(block, i + 1, ctes)
    if (read === undefined) continue
    found.push(read.source)
    i = read.next - 1
  }
  return found
}

function readSource(
  block: readonly Token[],
  at: number,
  ctes: readonly Source[],
): { source: Source; next: number } | undefined {
  let i = skipWords(block, at, ['lateral', 'only'])
  const first = block[i]
  if (first === undefined) return undefined
  if (first.text === '(' && first.kind === 'punctuation') {
    const close = closing(block, i)
    const inside = block.slice(i + 1, close)
    if (inside[0]?.text !== 'select' && inside[0]?.text !== 'with' && inside[0]?.text !== 'values') return undefined
    const alias = readAlias(block, close + 1)
    if (alias === undefined) return undefined
    const columns = alias.columns ?? outputs(inside, ctes)
    return {
      source: { name: alias.name, at: alias.at, ...(columns === undefined ? {} : { columns }) },
      next: alias.next,
    }
  }
  if (!isPlainName(first)) return undefined
  const names = dottedName(block, i)
  i += 2 * names.length - 1
  const last = names.at(-1) ?? first
  const call = block[i]?.text === '(' && block[i]?.start === last.end
  if (call) i = closing(block, i) + 1
  const alias = readAlias(block, i)
  const name = last.text
  const schema = names.at(-2)?.text
  const cte = schema === undefined ? ctes.find((c) => c.name === name) : undefined
  const columns = alias?.columns ?? cte?.columns
  const place = alias?.at ?? cte?.at ?? { start: last.start, end: last.end }
  return {
    source: {
      name: alias?.name ?? name,
      at: place,
      ...(call || cte !== undefined ? {} : { table: { schema, name } }),
      ...(columns === undefined ? {} : { columns }),
    },
    next: alias?.next ?? i,
  }
}

function readAlias(
  block: readonly Token[],
  at: number,
): { name: string; at: Source['at']; columns?: string[]; next: number } | undefined {
  const hasAs = block[at]?.text === 'as'
  const token = block[hasAs ? at + 1 : at]
  if (!isPlainName(token) || (token.kind === 'word' && afterFrom.has(token.text))) return undefined
  const next = (hasAs ? at + 1 : at) + 1
  const base = { name: token.text, at: { start: token.start, end: token.end } }
  if (block[next]?.text !== '(') return { ...base, next }
  const close = closing(block, next)
  return {
    ...base,
    columns: block
      .slice(next + 1, close)
      .filter(isName)
      .map((t) => t.text),
    next: close + 1,
  }
}

/** Names of the columns that a subquery gives; undefined when a star hides them and only the catalog knows. */
function outputs(tokens: readonly Token[], ctes: readonly Source[]): string[] | undefined {
  const start = tokens[0]?.text === 'with' ? mainStart(tokens) : 0
  const depth = tokens[start]?.depth ?? 0
  if (tokens[start]?.text !== 'select') return undefined
  const names: string[] = []
  let item: Token[] = []
  for (let i = start + 1; i <= tokens.length; i += 1) {
    const token = tokens[i]
    const ends =
      token === undefined ||
      (token.depth === depth &&
        (token.text === ',' || (token.kind === 'word' && clauseWords.has(token.text) && token.text !== 'for')))
    if (!ends) {
      if (token.depth === depth) item.push(token)
      continue
    }
    const name = item.at(-1)
    if (name?.text === '*') {
      const inner = sourcesOf(tokens, ctes).map((source) => source.columns)
      if (inner.length === 0 || inner.some((columns) => columns === undefined)) return undefined
      names.push(...inner.flatMap((columns) => columns ?? []))
    } else if (name !== undefined && isName(name)) names.push(name.text)
    else if (name?.text === ')') names.push(item.find((t) => isName(t) && t.text !== 'distinct')?.text ?? '')
    item = []
    if (token === undefined || token.text !== ',') break
  }
  return names.filter((n) => n !== '')
}
