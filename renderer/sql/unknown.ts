import { capitalise } from '../decisions/words.ts'
import { type CatalogIndex, columnsOf } from './complete/catalog.ts'
import { scopeAt } from './complete/scope.ts'
import { isName, quoteName, type Token, tokenize } from './complete/tokens.ts'

/** A name that nothing is known by: most often one letter of it is wrong. */
interface Named {
  kind: 'column' | 'table' | 'function'
  /** With its qualifier, as the gateway writes it. */
  name: string
  /** What is wrong, as a sentence without what follows from it. */
  sentence: string
  /** The same where there is room for little: `no column naem`. */
  short: string
  /** What stands before it: a policy's reason. */
  before: string
}

/** Such a name in a statement. */
export interface UnknownName extends Named {
  /** Where it stands, as UTF-16 offsets of its last part; never empty. */
  spans: readonly { start: number; end: number }[]
}

/** A statement, and what was said of it. */
interface Told {
  text: string
  blocked?: { message: string }
  error?: { message: string }
}

/** As the gateway words it (before it may stand a policy's reason, and after it what follows), and as PostgreSQL does, in English. */
const patterns: readonly { kind: Named['kind']; of: RegExp; short(name: string): string }[] = [
  {
    kind: 'column',
    of: /\bno column (\S+) is known in (?:the tables that it reads|\S+?)(?=[.,]|$)/i,
    short: (n) => `no column ${n}`,
  },
  {
    kind: 'column',
    of: /\bcolumn "?([^\s"]+)"?(?: of relation "[^"]+")? does not exist/i,
    short: (n) => `no column ${n}`,
  },
  { kind: 'table', of: /\bno table or view (\S+) is known on this connection/i, short: (n) => `no table or view ${n}` },
  { kind: 'table', of: /\brelation "([^\s"]+)" does not exist/i, short: (n) => `no table or view ${n}` },
  { kind: 'function', of: /\bthe function (\S+) is not known here/i, short: (n) => `no function ${n}` },
  { kind: 'function', of: /\bfunction ([^\s("]+)\(.*?\) does not exist/i, short: (n) => `no function ${n}` },
]

/** The unknown name that a refusal or an error speaks of. Pure. */
export function unknownName(why: string): Named | undefined {
  for (const { kind, of, short } of patterns) {
    const match = of.exec(why)
    const name = match?.[1]
    if (match === null || name === undefined) continue
    const sentence = `${capitalise(match[0])}.`
    return { kind, name, sentence, short: short(name), before: why.slice(0, match.index).trim() }
  }
  return undefined
}

/** The same, where the statement has it. Pure. */
export function unknownIn(text: string, why: string): UnknownName | undefined {
  const named = unknownName(why)
  if (named === undefined) return undefined
  const spans = spansOf(text, named.name)
  return spans.length === 0 ? undefined : { ...named, spans }
}

/** The same, of a statement that was refused, or failed. Pure. */
export function unknownOf({ text, blocked, error }: Told): UnknownName | undefined {
  const why = (blocked ?? error)?.message
  return why === undefined ? undefined : unknownIn(text, why)
}

/** Wherever the statement has the name: all of its parts, or its last with others before them. */
function spansOf(text: string, name: string): { start: number; end: number }[] {
  const wanted = tokenize(name).filter(isName)
  const last = wanted.at(-1)
  if (last === undefined) return []
  const tokens = tokenize(text)
  const whole = (at: number) =>
    wanted.every((part, i) => partBefore(tokens, at, wanted.length - 1 - i)?.text === part.text)
  const ends = tokens.flatMap((token, at) => (isName(token) && whole(at) ? [token] : []))
  return ends.map(({ start, end }) => ({ start, end }))
}

/** The name `back` parts before the one at an index: of `a.b.c` at `c`, 1 is `b`. */
function partBefore(tokens: readonly Token[], at: number, back: number): Token | undefined {
  for (let i = 1; i <= back; i += 1) if (tokens[at - i * 2 + 1]?.text !== '.') return undefined
  return tokens[at - back * 2]
}

/** The one name that was probably meant, as it must be written. */
export function meantBy(text: string, { kind, spans }: UnknownName, index: CatalogIndex): string | undefined {
  const [first] = spans
  if (first === undefined) return undefined
  const written = tokenize(text.slice(first.start, first.end))[0]?.text ?? ''
  let best: string | undefined
  let least = Math.max(1, Math.floor(written.length / 3)) + 1
  let alone = false
  for (const name of new Set(candidates(text, kind, first.start, index))) {
    const far = distance(written, name, least)
    if (far > least || far === 0) continue
    alone = far < least
    least = far
    best = name
  }
  return alone && best !== undefined ? quoteName(best) : undefined
}

function candidates(text: string, kind: UnknownName['kind'], at: number, index: CatalogIndex): string[] {
  if (kind === 'table') return [...index.catalog.tables.map(({ name }) => name)]
  if (kind === 'function') return index.catalog.functions.map(({ name }) => name)
  const { sources, qualifier } = scopeAt(text, at)
  const of = qualifier.at(-1)
  return sources
    .filter(({ name }) => of === undefined || name === of)
    .flatMap((source) => columnsOf(source, index).map(({ name }) => name))
}

/** Letters that were left out, put in, changed or swapped, between two words; more than `most` need not be exact. */
function distance(a: string, b: string, most: number): number {
  if (Math.abs(a.length - b.length) > most) return most + 1
  let before: number[] = []
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i]
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1]
      let value = Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (same ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        value = Math.min(value, (before[j - 2] ?? 0) + 1)
      next.push(value)
    }
    before = row
    row = next
  }
  return row[b.length] ?? most + 1
}
