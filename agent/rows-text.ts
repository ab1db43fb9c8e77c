import type { Node } from 'libpg-query'
import { isIdentifierStart, skipDollar, skipIdentifier, skipQuoted, skipTrivia } from '../shared/sql/lex.ts'
import { parse } from './inspect/postgres/parser.ts'
import { quoted } from './inspect/postgres/sql/ids.ts'

/** A SELECT that counts the rows which an UPDATE, DELETE or SELECT concerns. It only reads. */

type Text = { ok: true; text: string } | { ok: false; reason: string }

const unable: Text = { ok: false, reason: 'The rows of a statement of this form can’t be counted.' }

export function countingText(node: Node, text: string): Text {
  if ('SelectStmt' in node) {
    if (node.SelectStmt.intoClause !== undefined || (node.SelectStmt.lockingClause ?? []).length > 0) return unable
    return checked(`SELECT count(*) AS count FROM (${text}\n) AS counted`, undefined)
  }
  const change = 'DeleteStmt' in node ? node.DeleteStmt : 'UpdateStmt' in node ? node.UpdateStmt : undefined
  if (change?.relation === undefined || change.withClause !== undefined) return unable
  const others = ('usingClause' in change ? change.usingClause : 'fromClause' in change ? change.fromClause : []) ?? []
  const clauses = clausesOf(text)
  const isDelete = 'DeleteStmt' in node
  // DELETE FROM target [USING more] [WHERE …]; UPDATE target SET … [FROM more] [WHERE …]
  const target = isDelete ? clauses.get('from') : clauses.get('update')
  const more = isDelete ? clauses.get('using') : clauses.get('from')
  const where = clauses.get('where')
  if (target === undefined) return unable
  const name = change.relation.alias?.aliasname ?? change.relation.relname ?? ''
  const row = quoted(name)
  const count = more === undefined ? 'count(*)' : `count(DISTINCT (${row}.tableoid, ${row}.ctid))`
  const from = more === undefined ? target : `${target}, ${more}`
  const composed = `SELECT ${count} AS count FROM ${from}${where === undefined ? '' : ` WHERE ${where}`}`
  return checked(composed, { from: [{ RangeVar: change.relation }, ...others], where: change.whereClause })
}

/** What was composed must say the same as what it was taken from: PostgreSQL's own parser compares. */
function checked(text: string, expected: { from: unknown; where: unknown } | undefined): Text {
  const parsed = parse(text)
  const [one, second] = parsed.ok ? parsed.statements : []
  const select = one !== undefined && 'SelectStmt' in one.node ? one.node.SelectStmt : undefined
  if (select === undefined || second !== undefined) return unable
  if (expected === undefined) return { ok: true, text }
  const same = form(select.fromClause) === form(expected.from) && form(select.whereClause) === form(expected.where)
  return same ? { ok: true, text } : unable
}

function form(node: unknown): string {
  return JSON.stringify(node, (key, value: unknown) => (key === 'location' ? undefined : value)) ?? ''
}

const keywords = new Set(['update', 'delete', 'from', 'using', 'set', 'where', 'returning'])

/** The text behind each keyword that stands outside parentheses, up to the next. */
function clausesOf(text: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  let depth = 0
  let current: { keyword: string; start: number } | undefined
  const close = (end: number) => {
    if (current !== undefined && !found.has(current.keyword))
      found.set(current.keyword, text.slice(current.start, end).trim())
  }
  for (let i = 0; i < text.length; ) {
    const start = skipTrivia(text, i)
    const char = text[start]
    if (char === undefined) break
    i = start + 1
    if (char === '(' || char === '[') depth++
    else if (char === ')' || char === ']') depth--
    else if (char === "'" || char === '"') i = skipQuoted(text, start, false)
    else if (char === '$') i = skipDollar(text, start)
    else if (isIdentifierStart(text.charCodeAt(start))) {
      i = skipIdentifier(text, start)
      const word = text.slice(start, i).toLowerCase()
      if (word === 'e' && text[i] === "'") i = skipQuoted(text, i, true)
      else if (depth === 0 && keywords.has(word)) {
        close(start)
        current = { keyword: word, start: i }
      }
    }
  }
  close(text.length)
  return found
}
