import { isIdentifierStart, skipDollar, skipIdentifier, skipQuoted, skipTrivia } from './lex.ts'

/** A parameter where a statement names it: `:name` or `$1`. UTF-16 offsets. */
export interface ParameterRef {
  start: number
  end: number
  /** `name` of `:name`, `$1` as it is. */
  name: string
}

/** Statements whose `$1` is their own argument, not one that is sent with them. */
const ownArguments = /^(?:create\s+(?:or\s+replace\s+)?(?:function|procedure|rule)|prepare|do|alter)\b/i

/**
 * The parameters of one statement, in order. Strings, comments, identifiers, casts (`::`), `:=` and slices (`a[1:n]`) hold none. Pure.
 */
export function findParameters(statement: string): ParameterRef[] {
  if (ownArguments.test(statement.slice(skipTrivia(statement, 0)))) return []
  const found: ParameterRef[] = []
  let brackets = 0
  let i = skipTrivia(statement, 0)
  while (i < statement.length) {
    const char = statement[i]
    const next = statement.charCodeAt(i + 1)
    if (isIdentifierStart(statement.charCodeAt(i))) {
      const stop = skipIdentifier(statement, i)
      const escapes = stop === i + 1 && (char === 'E' || char === 'e') && statement[stop] === "'"
      i = escapes ? skipQuoted(statement, stop, true) : stop
    } else if (char === "'" || char === '"') i = skipQuoted(statement, i, false)
    else if (char === '$' && isDigit(next)) {
      const start = i
      i += 1
      while (isDigit(statement.charCodeAt(i))) i += 1
      found.push({ start, end: i, name: statement.slice(start, i) })
    } else if (char === '$') i = skipDollar(statement, i)
    else if (char === ':' && (statement[i + 1] === ':' || statement[i + 1] === '=')) i += 2
    else if (char === ':' && brackets === 0 && isIdentifierStart(next)) {
      const start = i
      i = skipIdentifier(statement, i + 1)
      found.push({ start, end: i, name: statement.slice(start + 1, i) })
    } else {
      if (char === '[') brackets += 1
      if (char === ']' && brackets > 0) brackets -= 1
      i += 1
    }
    i = skipTrivia(statement, i)
  }
  return found
}

/** A statement as it is sent: `text` has `$1`, `$2`, … for `names` in that order. A place that is '' is used by nothing. */
export interface BoundStatement {
  text: string
  names: readonly string[]
}

/**
 * Writes every `:name` as a numbered parameter, padded with blanks to the width it had, so that a position in `text` is the same
 * position in `statement`. Short names get the small numbers: only a tenth name of one letter would not fit, and shift by one.
 */
export function bindParameters(statement: string, refs = findParameters(statement)): BoundStatement {
  const numbered = refs.flatMap(({ name }) => (name.startsWith('$') ? [Number(name.slice(1))] : []))
  const names: string[] = []
  for (const n of numbered) {
    while (names.length < n) names.push('')
    names[n - 1] = `$${n}`
  }
  const named = [...new Set(refs.map(({ name }) => name).filter((name) => !name.startsWith('$')))]
  named.sort((a, b) => a.length - b.length)
  names.push(...named)
  let text = ''
  let at = 0
  for (const { start, end, name } of refs) {
    text += statement.slice(at, start) + `$${names.indexOf(name) + 1}`.padEnd(end - start)
    at = end
  }
  return { text: text + statement.slice(at), names }
}

/** The names to be asked for, each once, in the order they are met. */
export function parameterNames(refs: readonly ParameterRef[]): string[] {
  return [...new Set(refs.map(({ name }) => name))]
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}
