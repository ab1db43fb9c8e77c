import { isIdentifierStart, skipDollar, skipIdentifier, skipQuoted, skipTrivia } from '../../../shared/sql/lex.ts'

/** A token of a statement; UTF-16 offsets. `word` is folded as PostgreSQL folds it, and `quoted` words never are keywords. */
export interface Token {
  kind: 'word' | 'quoted' | 'literal' | 'punctuation'
  /** Lower case for words, without quotes for quoted ones, the character itself for punctuation. */
  text: string
  start: number
  end: number
  /** Open parentheses around it; a parenthesis has the depth of what is outside it. */
  depth: number
}

/** The tokens of a statement that may be unfinished. Comments are none. Never throws. */
export function tokenize(sql: string): Token[] {
  const tokens: Token[] = []
  let depth = 0
  for (let i = skipTrivia(sql, 0); i < sql.length; i = skipTrivia(sql, i)) {
    const start = i
    const char = sql[i] ?? ''
    if (isIdentifierStart(sql.charCodeAt(i))) {
      const stop = skipIdentifier(sql, i)
      const escapes = stop === i + 1 && (char === 'E' || char === 'e') && sql[stop] === "'"
      i = escapes ? skipQuoted(sql, stop, true) : stop
      const kind = escapes ? 'literal' : 'word'
      tokens.push({ kind, text: sql.slice(start, i).toLowerCase(), start, end: i, depth })
    } else if (char === '"') {
      i = skipQuoted(sql, i, false)
      const text = sql.slice(start + 1, sql[i - 1] === '"' && i - 1 > start ? i - 1 : i).replaceAll('""', '"')
      tokens.push({ kind: 'quoted', text, start, end: i, depth })
    } else if (char === "'") {
      i = skipQuoted(sql, i, false)
      tokens.push({ kind: 'literal', text: '', start, end: i, depth })
    } else if (char === '$' && skipDollar(sql, i) > i + 1) {
      i = skipDollar(sql, i)
      tokens.push({ kind: 'literal', text: '', start, end: i, depth })
    } else if (char >= '0' && char <= '9') {
      const stop = /^[\d.]+(?:e[+-]?\d+)?/i.exec(sql.slice(i, i + 40))?.[0].length ?? 1
      i += stop
      tokens.push({ kind: 'literal', text: '', start, end: i, depth })
    } else {
      i += 1
      if (char === ')' && depth > 0) depth -= 1
      tokens.push({ kind: 'punctuation', text: char, start, end: i, depth })
      if (char === '(') depth += 1
    }
  }
  return tokens
}

type NameToken = Token & { kind: 'word' | 'quoted' }

/** A word that may be a keyword, or a quoted name. */
export function isName(token: Token | undefined): token is NameToken {
  return token?.kind === 'word' || token?.kind === 'quoted'
}

/** Not a keyword that would end the list of names. */
export function isPlainName(token: Token | undefined): token is NameToken {
  return isName(token) && (token.kind === 'quoted' || !reserved.has(token.text))
}

/** The parts of the name that begins at an index, as `public.orders` has two; none where there is no name. */
export function dottedName(tokens: readonly Token[], at: number): Token[] {
  const parts: Token[] = []
  for (let i = at; i === at || tokens[i - 1]?.text === '.'; i += 2) {
    const part = tokens[i]
    if (!isName(part)) break
    parts.push(part)
  }
  return parts
}

/** The index behind all of these words that stand at `at`. */
export function skipWords(tokens: readonly Token[], at: number, words: readonly string[]): number {
  let i = at
  while (words.includes(tokens[i]?.text ?? '')) i += 1
  return i
}

/** Indexes of the parentheses that are open at an offset, the outermost first. */
export function openedBefore(tokens: readonly Token[], offset: number): number[] {
  const opened: number[] = []
  for (const [i, token] of tokens.entries()) {
    if (token.start >= offset) break
    if (token.text === '(' && token.kind === 'punctuation') opened.push(i)
    if (token.text === ')' && token.kind === 'punctuation') opened.pop()
  }
  return opened
}

/** The index of the parenthesis that closes the one at `open`; the end where none does. */
export function closing(tokens: readonly Token[], open: number): number {
  const depth = tokens[open]?.depth
  const at = tokens.findIndex((t, i) => i > open && t.text === ')' && t.kind === 'punctuation' && t.depth === depth)
  return at === -1 ? tokens.length : at
}

/** Whether a position is inside a string, a comment or a quoted name, where nothing is to be completed. */
export function isInLiteral(sql: string, tokens: readonly Token[], offset: number): boolean {
  const inside = tokens.some((t) => t.kind === 'literal' && t.start < offset && offset < t.end)
  if (inside) return true
  const open = tokens.at(-1)
  if (open?.kind === 'literal' && open.end === offset && /['$]/.test(sql[open.start] ?? '')) {
    // Closed literals end with what they began with.
    if (sql[open.end - 1] !== sql[open.start] || open.end - open.start === 1) return true
  }
  // Comments are no tokens: they are in the gaps between them.
  const before = tokens.findLast((t) => t.end <= offset)
  return inComment(sql.slice(before?.end ?? 0, offset))
}

/** Whether a comment is open at the end of blanks and comments. */
function inComment(gap: string): boolean {
  let depth = 0
  for (let i = 0; i < gap.length; i += 1) {
    if (depth === 0 && gap.startsWith('--', i)) {
      const end = gap.indexOf('\n', i)
      if (end === -1) return true
      i = end
    } else if (gap.startsWith('/*', i)) {
      depth += 1
      i += 1
    } else if (depth > 0 && gap.startsWith('*/', i)) {
      depth -= 1
      i += 1
    }
  }
  return depth > 0
}

/** A name as it must be written: quoted where it has capitals or is reserved. */
export function quoteName(name: string): string {
  return /^[a-z_][a-z0-9_$]*$/.test(name) && !reserved.has(name) ? name : `"${name.replaceAll('"', '""')}"`
}

/** A string as it must be written. */
export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

/** Words that can't be a name without quotes (pg_get_keywords, catcode R and T). */
export const reserved: ReadonlySet<string> = new Set(
  `all analyse analyze and any array as asc asymmetric authorization binary both case cast check collate collation column
  concurrently constraint create cross current_catalog current_date current_role current_schema current_time current_timestamp
  current_user default deferrable desc distinct do else end except false fetch for foreign freeze from full grant group having
  ilike in initially inner intersect into is isnull join lateral leading left like limit localtime localtimestamp natural not
  notnull null offset on only or order outer overlaps placing primary references returning right select session_user similar some
  symmetric system_user table tablesample then to trailing true union unique user using variadic verbose when where window
  with`.split(/\s+/),
)
