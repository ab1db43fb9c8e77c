import { keywords as every } from '../../decisions/sql-words.ts'
import { reserved, type Token } from './tokens.ts'

/** Which keywords may stand at a place. */
export interface KeywordPlace {
  words: readonly string[]
  /** An operand ends right before: what joins it to something comes before names. */
  joins: boolean
  /** A statement or a subquery may begin here. */
  begins: boolean
  /** What is written may as well be a name that the person gives to what is before. */
  names: boolean
}

const list = (text: string): readonly string[] => text.split(',').map((word) => word.trim())

const queries = list('SELECT, WITH, INSERT INTO, UPDATE, DELETE FROM, MERGE INTO, VALUES, TABLE')
const statements = [
  ...queries,
  ...list(`EXPLAIN, CREATE, ALTER, DROP, TRUNCATE, BEGIN, COMMIT, ROLLBACK, SAVEPOINT, RELEASE, SET, RESET, SHOW, COPY, CALL, DO,
    GRANT, REVOKE, COMMENT ON, ANALYZE, VACUUM, REINDEX, REFRESH MATERIALIZED VIEW, CLUSTER, LOCK, LISTEN, NOTIFY, UNLISTEN,
    PREPARE, EXECUTE, DEALLOCATE, DISCARD`),
]
const subqueries = list('SELECT, WITH, VALUES')
const operands =
  list(`NOT, CASE, NULL, TRUE, FALSE, EXISTS, CAST, EXTRACT, COALESCE, INTERVAL, ARRAY, ROW, CURRENT_DATE, CURRENT_TIME,
  CURRENT_TIMESTAMP, CURRENT_USER`)
const operators =
  list(`AND, OR, IN, NOT IN, IS NULL, IS NOT NULL, IS DISTINCT FROM, BETWEEN, LIKE, ILIKE, NOT LIKE, SIMILAR TO, COLLATE,
  AT TIME ZONE`)
const joins = list('JOIN, LEFT JOIN, RIGHT JOIN, FULL JOIN, INNER JOIN, CROSS JOIN, NATURAL JOIN')
const sets = list('UNION, UNION ALL, INTERSECT, EXCEPT')
const ends = [...sets, ...list('ORDER BY, LIMIT, OFFSET, FETCH FIRST, FOR UPDATE, FOR SHARE')]
const afterWhere = [...list('GROUP BY, HAVING, WINDOW'), ...ends]

interface Clause {
  needs: readonly string[]
  after: readonly string[]
}

/** By the clause that a place is in: `needs` where an operand or a name is missing, `after` behind one. */
const clauses: ReadonlyMap<string, Clause> = new Map([
  ['select', { needs: operands, after: ['FROM', 'AS', ...operators, 'OVER', 'FILTER', 'WITHIN GROUP', ...ends] }],
  [
    'from',
    {
      needs: ['LATERAL', 'ONLY'],
      after: ['WHERE', ...joins, 'ON', 'USING', ...afterWhere, 'RETURNING', 'AS', 'TABLESAMPLE'],
    },
  ],
  ['on', { needs: operands, after: [...operators, ...joins, 'WHERE', ...afterWhere, 'RETURNING', 'WHEN'] }],
  ['where', { needs: operands, after: [...operators, ...afterWhere, 'RETURNING'] }],
  ['group', { needs: list('ROLLUP, CUBE, GROUPING SETS'), after: ['HAVING', 'WINDOW', ...ends] }],
  ['having', { needs: operands, after: [...operators, 'WINDOW', ...ends] }],
  ['window', { needs: [], after: ['AS', ...ends] }],
  [
    'order',
    {
      needs: operands,
      after: list('ASC, DESC, NULLS FIRST, NULLS LAST, LIMIT, OFFSET, FETCH FIRST, FOR UPDATE, ROWS, RANGE'),
    },
  ],
  ['partition', { needs: operands, after: list('ORDER BY, ROWS, RANGE') }],
  ['limit', { needs: ['ALL'], after: list('OFFSET, FOR UPDATE, FOR SHARE') }],
  ['offset', { needs: [], after: list('ROWS, LIMIT, FETCH FIRST, FOR UPDATE') }],
  ['fetch', { needs: list('FIRST, NEXT'), after: list('ROWS ONLY, ROWS WITH TIES') }],
  ['for', { needs: list('UPDATE, SHARE, NO KEY UPDATE, KEY SHARE'), after: list('OF, NOWAIT, SKIP LOCKED') }],
  ['values', { needs: [...operands, 'DEFAULT'], after: ['ON CONFLICT', 'RETURNING', ...ends] }],
  ['set', { needs: [...operands, 'DEFAULT'], after: ['WHERE', 'FROM', 'RETURNING', ...operators] }],
  ['returning', { needs: operands, after: ['AS', ...operators] }],
  ['into', { needs: [], after: list('VALUES, SELECT, WITH, DEFAULT VALUES, OVERRIDING, AS, USING') }],
  ['update', { needs: ['ONLY'], after: list('SET, AS') }],
  [
    'conflict',
    { needs: list('ON CONSTRAINT, DO NOTHING, DO UPDATE SET'), after: list('DO NOTHING, DO UPDATE SET, WHERE') },
  ],
  ['do', { needs: list('NOTHING, UPDATE SET'), after: ['WHERE', 'RETURNING'] }],
  ['when', { needs: list('MATCHED, NOT MATCHED'), after: list('THEN, AND, OR, BY SOURCE, BY TARGET') }],
  ['then', { needs: list('UPDATE SET, INSERT, DELETE, DO NOTHING'), after: ['WHEN', 'RETURNING'] }],
  ['with', { needs: ['RECURSIVE'], after: ['AS', ...queries] }],
  ['merge', { needs: ['INTO'], after: [] }],
  // In parentheses that are no query of their own.
  ['', { needs: operands, after: [...operators, ...list('ORDER BY, AS, FROM, FOR')] }],
])

/** By the word right before, where it says all. */
const follows: ReadonlyMap<string, readonly string[]> = new Map([
  ['insert', ['INTO']],
  ['merge', ['INTO']],
  ['delete', ['FROM']],
  ['group', ['BY']],
  ['order', ['BY']],
  ['partition', ['BY']],
  ['left', list('JOIN, OUTER JOIN')],
  ['right', list('JOIN, OUTER JOIN')],
  ['full', list('JOIN, OUTER JOIN')],
  ['inner', ['JOIN']],
  ['cross', ['JOIN']],
  ['outer', ['JOIN']],
  ['natural', list('JOIN, LEFT JOIN, RIGHT JOIN, FULL JOIN, INNER JOIN')],
  ['nulls', list('FIRST, LAST')],
  ['is', list('NULL, NOT NULL, TRUE, FALSE, NOT TRUE, NOT FALSE, DISTINCT FROM, NOT DISTINCT FROM, UNKNOWN')],
  ['similar', ['TO']],
  ['within', ['GROUP']],
  ['overriding', list('SYSTEM VALUE, USER VALUE')],
])

const queryWords = ['select', 'with', 'insert', 'update', 'delete', 'merge', 'values', 'table'] as const
const setWords = ['union', 'intersect', 'except'] as const
/** Reserved words that are an operand, or the end of one. */
const operandWords = new Set(
  `null true false end current_date current_time current_timestamp current_user current_role current_schema localtime localtimestamp
  session_user user default asc desc isnull notnull`.split(/\s+/),
)

/** Words that a name could be, but behind which something is missing where they are keywords. */
const openWords = new Set('by between set values conflict update delete insert over recursive'.split(' '))

/**
 * The keywords that fit at `from`, by the words before it at the same depth: one look back, so that it is cheap at every key. Of
 * statements whose grammar is not followed (DDL and the like) every keyword fits. Pure.
 */
export function keywordsAt(tokens: readonly Token[], from: number): KeywordPlace {
  const before = tokens.filter((token) => token.end <= from)
  const last = before.at(-1)
  const depth = last === undefined ? 0 : last.depth + (isMark(last, '(') ? 1 : 0)
  const open = before.findLastIndex((token) => isMark(token, '(') && token.depth === depth - 1)
  const level = before.slice(open + 1).filter((token) => token.depth === depth)
  if (level.length === 0) return atStart(before[open - 1], open >= 0)
  if (depth === 0) return inStatement(level)
  return inParentheses(level, before[open - 1])
}

function isMark(token: Token | undefined, text: string): boolean {
  return token?.kind === 'punctuation' && token.text === text
}

function isWord(token: Token | undefined, ...words: readonly string[]): boolean {
  return token?.kind === 'word' && words.includes(token.text)
}

/** Nothing was written yet: in the statement, or since the parenthesis that `before` stands in front of. */
function atStart(before: Token | undefined, inside: boolean): KeywordPlace {
  if (!inside) return beginning(statements)
  if (isWord(before, 'as')) return beginning(queries)
  if (isWord(before, 'exists', 'from', 'join', 'lateral')) return beginning(subqueries)
  if (isWord(before, 'over')) return joining(list('PARTITION BY, ORDER BY'))
  if (isWord(before, 'filter')) return joining(['WHERE'])
  if (isWord(before, 'values')) return missing([...operands, 'DEFAULT'])
  const calls =
    before !== undefined && (before.kind === 'quoted' || (before.kind === 'word' && !reserved.has(before.text)))
  return calls ? missing(['DISTINCT', ...operands, ...subqueries]) : beginning([...subqueries, ...operands])
}

const beginning = (words: readonly string[]): KeywordPlace => ({ words, joins: false, begins: true, names: false })
const joining = (words: readonly string[]): KeywordPlace => ({ words, joins: true, begins: false, names: false })
const missing = (words: readonly string[]): KeywordPlace => ({ words, joins: false, begins: false, names: false })
const anywhere = every.map((word) => word.toUpperCase())

function inStatement(level: readonly Token[]): KeywordPlace {
  const first = level[0]
  if (!isWord(first, 'explain')) return isWord(first, ...queryWords) ? inQuery(level) : missing(anywhere)
  const main = level.findIndex((token) => isWord(token, ...queryWords))
  return main === -1 ? beginning([...list('ANALYZE, VERBOSE'), ...queries]) : inQuery(level.slice(main))
}

function inParentheses(level: readonly Token[], before: Token | undefined): KeywordPlace {
  const own = isWord(level[0], ...queryWords) || isWord(before, 'over', 'filter')
  return own ? inQuery(level) : inClause('', level)
}

/** The branch of a UNION that the place is in, and the clause of it. */
function inQuery(level: readonly Token[]): KeywordPlace {
  const cut = level.findLastIndex((token) => isWord(token, ...setWords))
  const branch = level.slice(cut + 1)
  if (cut !== -1 && branch.every((token) => isWord(token, 'all', 'distinct'))) {
    return beginning(branch.length === 0 ? ['ALL', ...subqueries] : subqueries)
  }
  const merges = isWord(level[0], 'merge')
  const at = branch.findLastIndex((token, i) => token.kind === 'word' && opensClause(token.text, branch[i - 1], merges))
  if (at === -1) return inClause('', branch)
  const word = branch[at]?.text ?? ''
  return inClause(word === 'join' || word === 'using' ? 'from' : word, branch.slice(at))
}

/** `FOR UPDATE`, `DISTINCT ON` and the like open none. */
function opensClause(text: string, before: Token | undefined, merges: boolean): boolean {
  switch (text) {
    case 'join':
    case 'using':
      return true
    case 'update':
      return !isWord(before, 'for', 'key', 'do', 'then')
    case 'on':
    case 'from':
      return !isWord(before, 'distinct')
    case 'group':
      return !isWord(before, 'within')
    case 'when':
    case 'then':
      return merges
    default:
      return text !== '' && clauses.has(text)
  }
}

/** `part`: the clause so far, with its own word. */
function inClause(name: string, part: readonly Token[]): KeywordPlace {
  const last = part.at(-1)
  const sure = last?.kind === 'word' ? follows.get(last.text) : undefined
  if (sure !== undefined) return joining(sure)
  const complete = endsOperand(last, part.at(-2)) || (name === 'for' && part.length > 1)
  const inCase = openCase(part)
  if (inCase !== undefined) return caseWords(inCase, complete)
  const { needs, after } = clauses.get(name) ?? { needs: anywhere, after: anywhere }
  if (complete) return { ...joining(after), begins: name === 'with', names: mayBeNamed(name, part) }
  if (isWord(last, 'not')) return missing(['IN', 'LIKE', 'ILIKE', 'BETWEEN', ...needs])
  if (name === 'with' && isWord(last, 'as')) return joining(list('MATERIALIZED, NOT MATERIALIZED'))
  if (isWord(last, 'distinct')) return missing(['ON', 'FROM', ...needs])
  return missing(name === 'select' && part.length === 1 ? ['DISTINCT', 'ALL', ...needs] : needs)
}

/** A table, a subquery or a column that has no other name yet: `FROM orders o`, `SELECT count(*) n`. */
function mayBeNamed(clause: string, part: readonly Token[]): boolean {
  if (clause !== 'from' && clause !== 'update' && clause !== 'select') return false
  const [last, before, third] = [part.at(-1), part.at(-2), part.at(-3)]
  return isMark(last, ')') || !endsOperand(before, third)
}

/** The last word of a CASE that is open; undefined outside of one. */
function openCase(part: readonly Token[]): string | undefined {
  const open: string[] = []
  for (const token of part) {
    if (isWord(token, 'case')) open.push(token.text)
    else if (isWord(token, 'end')) open.pop()
    else if (open.length > 0 && isWord(token, 'when', 'then', 'else')) open[open.length - 1] = token.text
  }
  return open.at(-1)
}

const caseClauses: ReadonlyMap<string, readonly string[]> = new Map([
  ['case', ['WHEN']],
  ['when', ['THEN', ...operators]],
  ['then', ['WHEN', 'ELSE', 'END', ...operators]],
  ['else', ['END', ...operators]],
])

function caseWords(at: string, complete: boolean): KeywordPlace {
  if (complete) return joining(caseClauses.get(at) ?? [])
  return missing(at === 'case' ? ['WHEN', ...operands] : operands)
}

/** Whether a name, a value or a closed parenthesis stands before: something that can be gone on from. */
function endsOperand(last: Token | undefined, before: Token | undefined): boolean {
  if (last === undefined) return false
  switch (last.kind) {
    case 'literal':
    case 'quoted':
      return true
    case 'word':
      return reserved.has(last.text) ? operandWords.has(last.text) : !openWords.has(last.text)
    case 'punctuation':
      // `SELECT *` and `c.*`, but not `2 *`.
      if (last.text === '*')
        return before === undefined || before.text === 'select' || before.text === ',' || before.text === '.'
      return last.text === ')' || last.text === ']'
    default:
      return last.kind satisfies never
  }
}
