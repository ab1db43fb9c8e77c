import { Fragment } from 'react'
import { Seen } from './seen.tsx'
import { keywords } from './sql-words.ts'

const token =
  /(?<c>--[^\n]*|\/\*[\s\S]*?(?:\*\/|$))|(?<s>'(?:[^']|'')*'?|\$(?<tag>\w*)\$[\s\S]*?(?:\$\k<tag>\$|$))|(?<n>\b\d+(?:\.\d+)?\b)|(?<w>[A-Za-z_][\w$]*)|(?<o>[=<>!+\-*/%;|]+)/g

const known = new Set(keywords)

/**
 * SQL in colour, for wells and tables; the editor has Monaco. Anything is shown exactly as it is. `touched`: names of columns, in lower
 * case, to be marked where they are written.
 */
export function SqlText({ text, touched }: { text: string; touched?: ReadonlySet<string> | undefined }) {
  const parts: { at: number; text: string; kind?: string }[] = []
  let last = 0
  for (const match of text.matchAll(token)) {
    if (match.index > last) parts.push({ at: last, text: text.slice(last, match.index) })
    parts.push({ at: match.index, text: match[0], ...kindOf(match, text, touched) })
    last = match.index + match[0].length
  }
  parts.push({ at: last, text: text.slice(last) })
  return (
    <span className="code">
      {parts.map((part) =>
        part.kind === undefined ? (
          <Fragment key={part.at}>
            <Seen text={part.text} />
          </Fragment>
        ) : (
          <span key={part.at} className={part.kind}>
            <Seen text={part.text} />
          </span>
        ),
      )}
    </span>
  )
}

function kindOf(match: RegExpExecArray, text: string, touched?: ReadonlySet<string>): { kind?: string } {
  const { c, s, n, w, o } = match.groups ?? {}
  if (c !== undefined) return { kind: 'c' }
  if (s !== undefined) return { kind: 's' }
  if (n !== undefined) return { kind: 'n' }
  if (o !== undefined) return { kind: 'o' }
  if (w === undefined) return {}
  if (touched?.has(w.toLowerCase())) return { kind: 'tc' }
  if (known.has(w.toLowerCase())) return { kind: 'k' }
  return text[match.index + w.length] === '(' ? { kind: 'f' } : {}
}
