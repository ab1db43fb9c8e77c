import { Fragment } from 'react'

const token =
  /(?<c>--[^\n]*|\/\*[\s\S]*?(?:\*\/|$))|(?<s>'(?:[^']|'')*'?|\$(?<tag>\w*)\$[\s\S]*?(?:\$\k<tag>\$|$))|(?<n>\b\d+(?:\.\d+)?\b)|(?<w>[A-Za-z_][\w$]*)|(?<o>[=<>!+\-*/%;|]+)/g

const keywords = new Set(
  `add all alter analyze and any as asc begin between by call case cast check column comment commit conflict constraint copy
  create cross current database default delete desc distinct do drop else end exists explain false fetch for foreign from full
  function grant group having if in index inner insert into is join key left like limit lock materialized merge not null
  offset on or order outer over partition primary procedure references refresh returning revoke right rollback schema select
  set show table then to true truncate union unique update using vacuum values view when where window with`.split(
    /\s+/,
  ),
)

/** SQL in colour, for wells and tables; the editor has Monaco. Anything is shown exactly as it is. */
export function SqlText({ text }: { text: string }) {
  const parts: { text: string; kind?: string }[] = []
  let last = 0
  for (const match of text.matchAll(token)) {
    if (match.index > last) parts.push({ text: text.slice(last, match.index) })
    parts.push({ text: match[0], ...kindOf(match, text) })
    last = match.index + match[0].length
  }
  parts.push({ text: text.slice(last) })
  return (
    <span className="code">
      {parts.map((part, i) =>
        part.kind === undefined ? (
          <Fragment key={i}>{part.text}</Fragment>
        ) : (
          <span key={i} className={part.kind}>
            {part.text}
          </span>
        ),
      )}
    </span>
  )
}

function kindOf(match: RegExpExecArray, text: string): { kind?: string } {
  const { c, s, n, w, o } = match.groups ?? {}
  if (c !== undefined) return { kind: 'c' }
  if (s !== undefined) return { kind: 's' }
  if (n !== undefined) return { kind: 'n' }
  if (o !== undefined) return { kind: 'o' }
  if (w === undefined) return {}
  if (keywords.has(w.toLowerCase())) return { kind: 'k' }
  return text[match.index + w.length] === '(' ? { kind: 'f' } : {}
}
