import type { CatalogFunction, CatalogTable } from '../../../shared/rpc/editor.ts'
import { type CatalogIndex, classNote, columnsOf, keyNotes, type ReachedColumn, tableLabel } from './catalog.ts'
import { type KeywordPlace, keywordsAt } from './keywords.ts'
import { listedNames } from './places.ts'
import type { Scope } from './scope.ts'
import { signatureText } from './signatures.ts'
import { snippets } from './snippets.ts'
import type { Source } from './source.ts'
import { quoteName, quoteText } from './tokens.ts'
import { typeNames } from './types.ts'
import type { ValuePlace } from './values.ts'

export interface Suggestion {
  kind:
    | 'column'
    | 'masked'
    | 'table'
    | 'view'
    | 'schema'
    | 'cte'
    | 'alias'
    | 'function'
    | 'keyword'
    | 'join'
    | 'snippet'
    | 'type'
    | 'value'
  label: string
  /** Beside the label, for the eye: type and class of a column, arguments of a function. */
  note: string
  /** What goes into the text; `$0` and `${1:…}` are places to fill in where `fill` is set. */
  insert: string
  fill?: true
  /** Beside the list, for who wants to know more: a line each. */
  more?: readonly string[]
  /** Smaller comes first. */
  rank: number
}

/**
 * What may come at a place, from what is in reach there. `written` is the word so far. Functions and tables, of which there are
 * thousands, are left out where `startsWord` says that the editor would not show them. Pure.
 */
export function suggest(scope: Scope, index: CatalogIndex, written: string): Suggestion[] {
  if (scope.qualifier.length > 0) return afterDot(scope, index)
  const lower =
    scope.letters === undefined ? written !== '' && written === written.toLowerCase() : scope.letters === 'lower'
  const place = keywordsAt(scope.tokens, scope.from)
  const words = [
    ...(place.names && written.length === 1 ? [named(written)] : []),
    ...keywordsFor(place, lower),
    ...(place.begins ? snippetsFor(lower) : []),
  ]
  switch (scope.expecting) {
    case 'table':
      return [...tables(scope, index, written, false), ...schemas(index), ...words]
    case 'join':
      return [...joins(scope, index), ...tables(scope, index, written, true), ...schemas(index), ...words]
    case 'condition':
      return [...conditions(scope, index), ...expressions(scope, index, written), ...words]
    case 'insert-columns': {
      const listed = new Set(listedNames(scope.tokens, scope.from))
      return ownColumns(scope, index)
        .filter((c) => !listed.has(c.name))
        .map((c) => column(c, index, ''))
    }
    case 'column':
      return ownColumns(scope, index).map((c) => column(c, index, ''))
    case 'shared':
      return sharedColumns(scope, index)
    case 'type':
      return [
        ...ownTypes(index),
        ...typeNames.map(
          (name, i): Suggestion => ({ kind: 'type', label: name, note: '', insert: name, rank: 1 + i / 1000 }),
        ),
      ]
    case 'expression':
      return [...expressions(scope, index, written), ...words]
    case 'name':
      return []
    case 'keyword':
      return words
    default:
      return scope.expecting satisfies never
  }
}

/** The values that an enum has for a place, written out where no string is begun yet. */
export function suggestValues({ column: { column }, text }: ValuePlace, index: CatalogIndex): Suggestion[] {
  if (column === undefined) return []
  return index.labelsOf(column).map((label, i) => {
    const insert = text === undefined ? quoteText(label) : quoteText(label).slice(1, text.closed ? -1 : undefined)
    return { kind: 'value', label, note: column.type, insert, rank: i / 1000 }
  })
}

/** Types that the database defines itself. */
function ownTypes(index: CatalogIndex): Suggestion[] {
  return index.catalog.types.map((type) => ({
    kind: 'type',
    label: tableLabel(type),
    note: type.kind === 'base' ? '' : type.kind,
    insert: written(type),
    rank: 0.5,
  }))
}

/** Columns of the table that a statement is about. */
function ownColumns(scope: Scope, index: CatalogIndex): ReachedColumn[] {
  return scope.sources.slice(0, 1).flatMap((source) => columnsOf(source, index))
}

/** Columns of the table that was joined last, by names that those before it have as well. */
function sharedColumns(scope: Scope, index: CatalogIndex): Suggestion[] {
  const last = scope.sources.at(-1)
  if (last === undefined) return []
  const others = new Set(scope.sources.slice(0, -1).flatMap((source) => columnsOf(source, index).map((c) => c.name)))
  return columnsOf(last, index)
    .filter((c) => others.has(c.name))
    .map((c) => column(c, index, ''))
}

/** Whether a word of `name` begins with the first letter of `written`: no other name can be what is meant. */
export function startsWord(name: string, written: string): boolean {
  const letter = written.charAt(0).toLowerCase()
  for (let at = 0; at < name.length; at += 1) {
    const char = name.charAt(at)
    if (char.toLowerCase() !== letter) continue
    const before = name.charAt(at - 1)
    if (at === 0 || /[^\p{L}\p{N}]/u.test(before) || (char !== letter && before === before.toLowerCase())) return true
  }
  return false
}

function afterDot(scope: Scope, index: CatalogIndex): Suggestion[] {
  const [first = '', second] = scope.qualifier
  if (second !== undefined) {
    const table = index.table(first, second)
    return table === undefined ? [] : ofTable(table, index)
  }
  const wantsTable = scope.expecting === 'table' || scope.expecting === 'join'
  const source = scope.sources.find((s) => s.name === first) ?? scope.ctes.find((c) => c.name === first)
  if (!wantsTable && source !== undefined) return columnsOf(source, index).map((c) => column(c, index, ''))
  const inSchema = [...index.catalog.tables, ...index.system].filter((table) => table.schema === first)
  if (inSchema.length > 0) {
    const routines = callable(index).filter((f) => f.schema === first)
    return [...inSchema.map((table) => tableOf(table, quoteName(table.name))), ...routines.map(routine)]
  }
  const table = index.table(undefined, first)
  return table === undefined ? [] : ofTable(table, index)
}

function ofTable(table: CatalogTable, index: CatalogIndex): Suggestion[] {
  const source: Source = { name: table.name, table, at: { start: 0, end: 0 } }
  return columnsOf(source, index).map((c) => column(c, index, ''))
}

function expressions(scope: Scope, index: CatalogIndex, written: string): Suggestion[] {
  const reached = scope.sources.flatMap((source) => columnsOf(source, index))
  const count = new Map<string, number>()
  for (const { name } of reached) count.set(name, (count.get(name) ?? 0) + 1)
  // A name that two sources have would be refused as ambiguous.
  const columns = reached.map((c) =>
    column(c, index, (count.get(c.name) ?? 0) > 1 ? `${quoteName(c.source.name)}.` : ''),
  )
  const aliases = scope.sources.map(
    (source): Suggestion => ({
      kind: 'alias',
      label: source.name,
      note: source.table === undefined ? '' : source.table.name,
      insert: quoteName(source.name),
      rank: 2,
    }),
  )
  // Before anything is written, those that come with every database would only be in the way.
  const routines = callable(index).filter((f) =>
    written === '' ? f.schema !== 'pg_catalog' : startsWord(f.name, written),
  )
  return [...columns, ...aliases, ...routines.map(routine)]
}

/** Trigger functions are called by triggers alone. */
function callable(index: CatalogIndex): CatalogFunction[] {
  return index.catalog.functions.filter((f) => f.kind !== 'trigger')
}

function column(reached: ReachedColumn, index: CatalogIndex, prefix: string): Suggestion {
  const { name, column: known, table } = reached
  const notes =
    known === undefined || table === undefined
      ? []
      : [known.type, classNote(known), ...keyNotes(table, name, index)].filter((note) => note !== undefined)
  return {
    kind: known?.masked ? 'masked' : 'column',
    label: prefix + name,
    note: notes.join(' · '),
    insert: prefix + quoteName(name),
    rank: 1,
  }
}

function tables(scope: Scope, index: CatalogIndex, start: string, withAlias: boolean): Suggestion[] {
  const ctes = scope.ctes.map(
    (cte): Suggestion => ({
      kind: 'cte',
      label: cte.name,
      note: cte.columns?.join(', ') ?? '',
      insert: quoteName(cte.name),
      rank: 0,
    }),
  )
  const fitting = index.catalog.tables.filter((table) => start === '' || startsWord(tableLabel(table), start))
  const all = fitting.map((table) => {
    const name = written(table)
    return tableOf(table, withAlias ? `${name} ${freeAlias(table.name, scope)}` : name)
  })
  return [...ctes, ...all, ...systemTables(index, start)]
}

/** Those that every database has: behind all others, and only once something of their name is written. */
function systemTables(index: CatalogIndex, start: string): Suggestion[] {
  if (start === '') return []
  return index.system
    .filter((table) => startsWord(table.name, start))
    .map((table) => {
      const name = table.schema === 'pg_catalog' ? table.name : `${table.schema}.${table.name}`
      return { ...tableOf(table, name), label: name, rank: 4 }
    })
}

function tableOf(table: CatalogTable, insert: string): Suggestion {
  const masked = table.columns.filter((c) => c.masked).length
  const note = [table.kind === 'table' ? '' : table.kind, masked === 0 ? '' : `${masked} masked`]
  return {
    kind: table.kind === 'table' || table.kind === 'foreign' ? 'table' : 'view',
    label: tableLabel(table),
    note: note.filter((part) => part !== '').join(' · '),
    insert,
    rank: 1,
  }
}

function written(table: { schema: string; name: string }): string {
  return table.schema === 'public' ? quoteName(table.name) : `${quoteName(table.schema)}.${quoteName(table.name)}`
}

function schemas(index: CatalogIndex): Suggestion[] {
  return [...index.schemas, ...new Set(index.system.map((table) => table.schema))].map((name) => ({
    kind: 'schema',
    label: name,
    note: 'schema',
    insert: quoteName(name),
    rank: 3,
  }))
}

function routine(f: CatalogFunction): Suggestion {
  const [first] = f.signatures
  const more = f.signatures.length < 2 ? '' : ` +${f.signatures.length - 1}`
  const name =
    f.schema === 'pg_catalog' || f.schema === 'public' ? quoteName(f.name) : `${f.schema}.${quoteName(f.name)}`
  const bare = f.signatures.every((one) => one.arguments === '')
  return {
    kind: 'function',
    label: f.name,
    note: `(${first?.arguments ?? ''})${more} ${first?.result ?? ''}`,
    insert: bare ? `${escapeFill(name)}()` : `${escapeFill(name)}($0)`,
    fill: true,
    more: f.signatures.flatMap((one) => [signatureText(f, one), ...(one.comment === undefined ? [] : [one.comment])]),
    rank: f.schema === 'pg_catalog' ? 4 : 3,
  }
}

/** Whole joins along foreign keys, in both directions, from what is in reach. */
function joins(scope: Scope, index: CatalogIndex): Suggestion[] {
  return scope.sources.flatMap((source) => {
    const from = source.table && index.table(source.table.schema, source.table.name)
    if (from === undefined) return []
    return index.foreignKeys.flatMap((key) => {
      const { refers } = key
      if (refers === undefined) return []
      const isFrom = key.schema === from.schema && key.table === from.name
      const isTo = refers.schema === from.schema && refers.table === from.name
      const found: Suggestion[] = []
      if (isFrom)
        found.push(join(source, key.columns, { schema: refers.schema, name: refers.table }, refers.columns, scope))
      if (isTo) found.push(join(source, refers.columns, { schema: key.schema, name: key.table }, key.columns, scope))
      return found
    })
  })
}

function join(
  source: Source,
  own: readonly string[],
  other: { schema: string; name: string },
  theirs: readonly string[],
  scope: Scope,
): Suggestion {
  const alias = freeAlias(other.name, scope)
  const text = `${written(other)} ${alias} ON ${equalities(alias, theirs, source.name, own)}`
  return { kind: 'join', label: text, note: 'by foreign key', insert: text, rank: 0 }
}

/** Conditions between the last source and those before it, by foreign keys. */
function conditions(scope: Scope, index: CatalogIndex): Suggestion[] {
  const placed = scope.sources.flatMap((source) => {
    const table = source.table && index.table(source.table.schema, source.table.name)
    return table === undefined ? [] : [{ source, table }]
  })
  const last = placed.at(-1)
  if (last === undefined) return []
  return placed.slice(0, -1).flatMap((other) =>
    [
      [last, other],
      [other, last],
    ].flatMap(([a, b]) =>
      index.foreignKeys.flatMap((key): Suggestion[] => {
        if (a === undefined || b === undefined || key.refers === undefined) return []
        const fits =
          key.schema === a.table.schema &&
          key.table === a.table.name &&
          key.refers.schema === b.table.schema &&
          key.refers.table === b.table.name
        if (!fits) return []
        const text = equalities(a.source.name, key.columns, b.source.name, key.refers.columns)
        return [{ kind: 'join', label: text, note: 'by foreign key', insert: text, rank: 0 }]
      }),
    ),
  )
}

function equalities(a: string, own: readonly string[], b: string, theirs: readonly string[]): string {
  return own
    .map((name, i) => `${quoteName(a)}.${quoteName(name)} = ${quoteName(b)}.${quoteName(theirs[i] ?? '')}`)
    .join(' AND ')
}

/** Initials of the name's words, with a number where they are taken: `order_items` → `oi`. */
function freeAlias(table: string, scope: Scope): string {
  const initials = table
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .map((part) => part.charAt(0))
    .join('')
    .replace(/^[^a-z]+/, '')
  const base = initials === '' ? 't' : initials
  const taken = new Set(scope.sources.map((source) => source.name))
  for (let n = 1; ; n += 1) {
    const alias = n === 1 ? base : `${base}${n}`
    if (!taken.has(alias) && quoteName(alias) === alias) return alias
  }
}

/** A name of one letter is what it is, and Enter behind it a new line: without it in the list, Enter would choose a keyword. */
function named(written: string): Suggestion {
  return { kind: 'alias', label: written, note: 'as a name', insert: written, rank: 0 }
}

/** In the order of the place, which is how often they are meant; before the names where an operand has just ended. */
function keywordsFor({ words, joins: first }: KeywordPlace, lower: boolean): Suggestion[] {
  return words.map((word, i) => {
    const text = lower ? word.toLowerCase() : word
    return { kind: 'keyword', label: text, note: '', insert: text, rank: (first ? 0 : 5) + i / 1000 }
  })
}

function snippetsFor(lower: boolean): Suggestion[] {
  return snippets.map(({ label, note, body }) => ({
    kind: 'snippet',
    label: lower ? label : label.toUpperCase(),
    note,
    insert: body,
    fill: true,
    rank: 6,
  }))
}

function escapeFill(text: string): string {
  return text.replaceAll(/[$}\\]/g, '\\$&')
}
