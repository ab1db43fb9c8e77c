import { isIdentifierStart, skipDollar, skipIdentifier, skipQuoted, skipTrivia } from './lex.ts'

/** UTF-16 offsets: `start` at the first token, `end` after the last, without the semicolon, which ends before `after`. */
export interface StatementRange {
  start: number
  end: number
  after: number
}

/**
 * Splits SQL into statements as PostgreSQL's own lexer would see them: semicolons inside strings, dollar quotes, identifiers,
 * comments, parentheses (CREATE RULE) and BEGIN ATOMIC bodies do not end one. Text that holds only white space and comments is no
 * statement. Never throws; an unterminated string or comment runs to the end, and the server says so when it is run.
 */
export function splitStatements(text: string): StatementRange[] {
  const statements: StatementRange[] = []
  let i = 0
  while (i < text.length) {
    const start = skipTrivia(text, i)
    if (start >= text.length) break
    if (text[start] === ';') {
      i = start + 1
      continue
    }
    const statement = scanStatement(text, start)
    statements.push(statement)
    i = statement.after
  }
  return statements
}

function scanStatement(text: string, start: number): StatementRange {
  const body = new RoutineBody()
  let parentheses = 0
  let end = start
  let i = start
  while (i < text.length) {
    const char = text[i]
    if (char === ';' && parentheses === 0 && body.depth === 0) return { start, end, after: i + 1 }
    if (isIdentifierStart(text.charCodeAt(i))) {
      const stop = skipIdentifier(text, i)
      const word = text.slice(i, stop)
      const escapes = (word === 'E' || word === 'e') && text[stop] === "'"
      if (!escapes && parentheses === 0) body.word(word)
      i = escapes ? skipQuoted(text, stop, true) : stop
    } else if (char === "'" || char === '"') i = skipQuoted(text, i, false)
    else if (char === '$') i = skipDollar(text, i)
    else {
      if (char === '(') parentheses += 1
      if (char === ')' && parentheses > 0) parentheses -= 1
      i += 1
    }
    end = i
    i = skipTrivia(text, i)
  }
  return { start, end, after: text.length }
}

/** Tracks BEGIN … END in CREATE [OR REPLACE] FUNCTION or PROCEDURE, whose body may hold semicolons outside any quote. */
class RoutineBody {
  depth = 0
  private head = ''
  private words = 0

  word(word: string): void {
    const lower = word.toLowerCase()
    if (this.words < 4) this.head += `${lower} `
    this.words += 1
    if (!/^create (or replace )?(function|procedure) /.test(this.head)) return
    if (lower === 'begin') this.depth += 1
    // CASE ends with END too.
    else if (lower === 'case' && this.depth > 0) this.depth += 1
    else if (lower === 'end' && this.depth > 0) this.depth -= 1
  }
}

/**
 * The statement a cursor at `offset` means: the one it is in or right behind (on the same line), else the next, else the last.
 * Undefined when there is none.
 */
export function statementAt(text: string, offset: number): StatementRange | undefined {
  const statements = splitStatements(text)
  const next = statements.findIndex((s) => s.after > offset || (s.after === offset && s.after === text.length))
  if (next === -1) return statements.at(-1)
  const candidate = statements[next]
  const previous = statements[next - 1]
  if (candidate === undefined || offset >= candidate.start || previous === undefined) return candidate
  return text.slice(previous.after, offset).includes('\n') ? candidate : previous
}

/**
 * Where a server's error position (`position`, 1-based, in characters) lies in `text`, as a UTF-16 offset.
 * Source: PostgreSQL protocol, error field `P`.
 */
export function utf16Offset(text: string, position: number): number {
  let offset = 0
  for (let character = 1; character < position && offset < text.length; character += 1) {
    const code = text.codePointAt(offset)
    offset += code !== undefined && code > 0xffff ? 2 : 1
  }
  return offset
}
