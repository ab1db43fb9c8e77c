import { isIdentifierStart, skipDollar, skipIdentifier, skipQuoted, skipTrivia } from '../../../../shared/sql/lex.ts'
import { scan } from '../parser.ts'

/** UTF-16 units between the quotes. What is longer is left out. */
const longestLiteral = 512
/** Of what is left, PostgreSQL's scanner has to find all that was left out. */
const longestRest = 256 * 1024
const leftOut = 'characters, left out here'
/** So much of a literal is shown, where there are few. */
const shown = 200
const few = 64

/**
 * A long text with the insides of its long literals left out, which is parsed, judged, shown and recorded in its place. The same tokens, but
 * for what these literals say: where one begins is looked up here, and that look is not trusted. PostgreSQL's own scanner has to find each of
 * them, whole, where it was put. It reads from the left, so up to the first of them it has read what it reads of the text itself; and
 * between the quotes there is only what keeps it there. Undefined: it can't be told, or too much is left.
 */
export function shortened(text: string): string | undefined {
  const found = literalsOf(text)
  if (found === undefined) return undefined
  let rest = ''
  let from = 0
  const put: { at: number; text: string }[] = []
  for (const { start, open, end } of found) {
    rest += text.slice(from, start)
    const instead = `${text.slice(start, open)}${insteadOf(text.slice(open, end), found.length > few ? 0 : shown)}'`
    put.push({ at: rest.length, text: instead })
    rest += instead
    from = end + 1
    if (rest.length > longestRest) return undefined
  }
  rest += text.slice(from)
  return rest.length <= longestRest && isFound(rest, put) ? rest : undefined
}

/** From `start`, its prefix or quote, to `open`, behind the quote, and to `end`, its closing one. */
interface Literal {
  start: number
  open: number
  end: number
}

function literalsOf(text: string): Literal[] | undefined {
  const found: Literal[] = []
  let i = 0
  while (i < text.length) {
    const unit = text.charCodeAt(i)
    const start = i
    if (isIdentifierStart(unit)) {
      i = skipIdentifier(text, i)
      if (text[i] !== "'" || i !== start + 1 || (unit | 0x20) !== 0x65) continue
    } else if (unit === 0x22) {
      i = skipQuoted(text, i, false)
      continue
    } else if (unit === 0x24) {
      i = skipDollar(text, i)
      continue
    } else if (text.startsWith('--', i) || text.startsWith('/*', i)) {
      i = skipTrivia(text, i)
      continue
    } else if (unit !== 0x27) {
      i++
      continue
    }
    const open = i + 1
    const end = i === start ? closing(text, open) : closingOfEscaped(text, open)
    if (end < 0) return undefined
    if (end - open > longestLiteral) found.push({ start, open, end })
    i = end + 1
  }
  return found
}

/** Where '…' ends: doubled quotes stay inside. */
function closing(text: string, from: number): number {
  let at = text.indexOf("'", from)
  while (at >= 0 && text[at + 1] === "'") at = text.indexOf("'", at + 2)
  return at
}

/** Where E'…' ends: so does what follows a backslash. */
function closingOfEscaped(text: string, from: number): number {
  let at = from
  for (; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (unit === 0x5c || (unit === 0x27 && text.charCodeAt(at + 1) === 0x27)) at++
    else if (unit === 0x27) return at
  }
  return -1
}

/** Whatever it is read as (a statement, names, JSON), it is none from its first letters on, and nothing is proved by it: `literalText`. */
function insteadOf(inside: string, some: number): string {
  const beginning = /^[ !#%-&(-[\]-~]*/.exec(inside.slice(0, some))?.[0] ?? ''
  return `(${inside.length} ${leftOut}${beginning === '' ? '' : `; they begin: ${beginning} ...`})`
}

function isFound(text: string, put: readonly { at: number; text: string }[]): boolean {
  const scanned = scan(text)
  if (scanned.kind !== 'tokens') return false
  const literals = new Map(scanned.tokens.flatMap((one) => (one.name === 'SCONST' ? [[one.start, one]] : [])))
  const byte = bytesOf(text)
  return put.every((one) => {
    const start = byte(one.at)
    return literals.get(start)?.end === start + Buffer.byteLength(one.text)
  })
}

/** The scanner counts bytes of UTF-8; asked in ascending order. */
function bytesOf(text: string): (at: number) => number {
  let from = 0
  let bytes = 0
  return (at) => {
    bytes += Buffer.byteLength(text.slice(from, at))
    from = at
    return bytes
  }
}

/** Statements whose literals are values. What others say is code, or names, and read and recorded in full or not at all. */
const data: ReadonlySet<string> = new Set(['SelectStmt', 'InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt'])

/** Whether nothing is left out of a statement, `text`, but values. */
export function saysAll(node: string, text: string): boolean {
  return data.has(node) || !isLeftOut(text)
}

/** A literal of which more is left out than is there. */
export function isLeftOut(literal: string): boolean {
  return literal.includes(leftOut)
}

/** Characters that a literal has where nothing is left out of it. */
export function lengthOf(literal: string): number {
  const said = isLeftOut(literal) ? /^\((\d+) /.exec(literal)?.[1] : undefined
  return Math.max(literal.length, Number(said ?? 0))
}
