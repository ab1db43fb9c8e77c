import { isIdentifierStart, skipDollar, skipIdentifier, skipQuoted } from '../../../shared/sql/lex.ts'

const longest = 2_000

/**
 * The first comment in a statement: how somebody says why they run it, with any client. Empty when there is none. The list of
 * parameters that `withParameters` puts behind a text is no comment of theirs.
 */
export function firstComment(text: string): string {
  for (let i = 0; i < text.length; ) {
    if (text.startsWith('--', i)) {
      const end = text.slice(i).search(/[\r\n]/)
      const comment = text.slice(i + 2, end < 0 ? undefined : i + end)
      if (!/^ \$1 = /.test(comment)) return comment.trim().slice(0, longest)
      return ''
    }
    if (text.startsWith('/*', i))
      return text
        .slice(i + 2, text.indexOf('*/', i) < 0 ? undefined : text.indexOf('*/', i))
        .trim()
        .slice(0, longest)
    i = nextToken(text, i)
  }
  return ''
}

function nextToken(text: string, start: number): number {
  const char = text[start]
  if (char === "'" || char === '"') return skipQuoted(text, start, false)
  if (char === '$') return skipDollar(text, start)
  if (!isIdentifierStart(text.charCodeAt(start))) return start + 1
  const end = skipIdentifier(text, start)
  const escapes = text[end] === "'" && text.slice(start, end).toLowerCase() === 'e'
  return escapes ? skipQuoted(text, end, true) : end
}
