import type { ColumnId } from '../analysis.ts'
import { lengthOf } from '../text/shortened.ts'

/** What is known of an expression's value. */
export interface Value {
  /** Base columns that it derives from. */
  readonly sources: ReadonlySet<ColumnId>
  /** It IS a column's value. `sources` then holds that column first, and its inheritance parents. */
  readonly plain: boolean
  /** See OutputColumn.origin. */
  readonly origin?: ColumnId
  /**
   * Every text in it stands whole in one of its sources: a part of a document, a document of such texts, one of several values.
   * So what may be found in a source by looking at it is found in this, too.
   */
  readonly whole?: boolean
  /** Name of its type (pg_type.typname), where it is a relation's column. */
  readonly type?: string
  /** A literal, a parameter, or a cast of one. */
  readonly constant: boolean
  /** Evaluating it may fail, or take long, depending on its input: what decides over it is then visible. */
  readonly risky: boolean
  /** What is known of its type; `scalar`: no array, row or document, but one value of a type of PostgreSQL's own. */
  readonly kind?: Kind | undefined
  /** It may be compared under a collation of its own, which fits no other one, or not every comparison. */
  readonly collated?: true | undefined
  /** See `Legibility`. */
  readonly legible?: Legibility
  /** A column's document was read for it, which may fail over what that holds. */
  readonly reads?: true | undefined
  /** How many times as long as a column's value it may be; 1 if unset. */
  readonly growth?: number
  /** Of a row that is put together here: what it is put together from. */
  readonly parts?: readonly Value[]
  /** A whole row, with its columns. */
  readonly row?: readonly ScopeColumn[]
  /** Of a row with columns that can't be listed: see `Shape.open`. */
  readonly rowOpen?: Value
  /** `whole` for what is made of the row's columns; as text, a row is no such thing. */
  readonly rowWhole?: boolean
}

export type Kind = 'text' | 'scalar'

/**
 * Whether the server can fail to read the JSON in a value, of type json or too deep. True: it can't, or there is none. `own`: over what is in a
 * column alone, as long as nothing else says whether it is read: see `legibility`.
 */
export type Legibility = true | 'own' | undefined

export interface ScopeColumn {
  readonly name: string
  readonly value: Value
  /**
   * The statement gives it its name. That of any other may be gone by the time that the target looks it up: somebody drops or renames a
   * column while the statement waits for a lock, or behind others of its own text.
   */
  readonly written?: true
}

const none: ReadonlySet<ColumnId> = new Set()

export const constant: Value = { sources: none, plain: false, constant: true, risky: false, growth: 0 }
/** A literal: what it adds to the length of what it is put into counts in pieces as long as most values are. */
export function literal(text: string): Value {
  const value = /[\\\d]/.test(text) || !isShallow(text) ? constant : harmless
  const length = lengthOf(text)
  return length <= piece ? value : { ...value, growth: length / piece }
}
const harmless: Value = { ...constant, legible: true }

const deepest = 256

/** Deep documents are an error where the stack ends, which is sooner for some that read them. */
export function isShallow(text: string): boolean {
  return text.length <= deepest || (text.match(/[[{]/g)?.length ?? 0) <= deepest
}

const piece = 64
/** Known to come from no column, but no constant either: now(), a sequence, a system column. */
export const opaque: Value = { sources: none, plain: false, constant: false, risky: false }
const riskyOpaque: Value = { sources: none, plain: false, constant: false, risky: true }

/** An expression over `values`. */
export function derived(values: readonly Value[], risky = false): Value {
  let sources = none
  let owned: Set<ColumnId> | undefined
  let growth = 0
  let collated: true | undefined
  let reads: true | undefined
  for (const value of values) {
    if (value.risky) risky = true
    if (value.collated) collated = true
    if (value.reads) reads = true
    growth += value.growth ?? 1
    if (value.sources.size === 0 || value.sources === sources) continue
    if (sources.size === 0) sources = value.sources
    else {
      if (!owned) {
        owned = new Set(sources)
        sources = owned
      }
      for (const source of value.sources) owned.add(source)
    }
  }
  const plainly = growth === 1 && !collated && !reads
  if (sources.size === 0 && plainly) return risky ? riskyOpaque : opaque
  return { sources, plain: false, constant: false, risky, ...(plainly ? {} : { growth, collated, reads }) }
}

/** The same texts in another dress: see `Value.whole`. Constants are the client's own. */
export function dressed(value: Value, values: readonly Value[]): Value {
  return values.every(isWhole) ? { ...value, whole: true } : value
}

export function isWhole({ plain, whole, constant: own, sources }: Value): boolean {
  return plain || whole === true || own || sources.size === 0
}

/**
 * Text of type json is read when somebody asks for what is in it, and fails then: escapes that stand for no character, numbers beyond all.
 * A column's own may, and tells no more than that of itself; one that is put in the place of another by a guess tells the guess.
 */
export function legibility({ plain, kind, legible, type, row, parts }: Value): Legibility {
  if (kind !== undefined || legible === true) return true
  if (plain) return type !== undefined && documentless.test(type) ? true : 'own'
  if (row !== undefined) return least(row.map(({ value }) => legibility(value)))
  return parts === undefined ? legible : least(parts.map(legibility))
}

/** Arrays of PostgreSQL's own types, that are no documents. */
const documentless = /^_(?!#|json)/

export function least(all: readonly Legibility[]): Legibility {
  if (all.includes(undefined)) return undefined
  return all.includes('own') ? 'own' : true
}

/** The columns of a relation, sub-query, function or join, by name. */
export class Shape {
  readonly columns: readonly ScopeColumn[]
  /** Columns that can't be listed exist too; each has this value. */
  readonly open: Value | undefined
  /** Of those, by name, where these are all of them. */
  readonly unlisted: ReadonlyMap<string, Value> | undefined
  #index: Map<string, ScopeColumn> | undefined
  #row: Value | undefined

  constructor(columns: readonly ScopeColumn[], open?: Value, unlisted?: ReadonlyMap<string, Value>) {
    this.columns = columns
    this.open = open
    this.unlisted = unlisted
  }

  /** Of two columns with one name PostgreSQL takes neither; their union is never less than either. */
  column(name: string): ScopeColumn | undefined {
    if (!this.#index) {
      this.#index = new Map()
      for (const column of this.columns) {
        const other = this.#index.get(column.name)
        const value = other ? derived([other.value, column.value]) : column.value
        this.#index.set(column.name, other ? { name: column.name, value } : column)
      }
    }
    return this.#index.get(name)
  }

  /** The whole row as one value. */
  get row(): Value {
    if (!this.#row) {
      const values = this.columns.map((column) => column.value)
      if (this.open) values.push(this.open)
      this.#row = {
        ...derived(values),
        row: this.columns,
        ...(this.open ? { rowOpen: this.open } : {}),
        ...(values.every(isWhole) ? { rowWhole: true } : {}),
      }
    }
    return this.#row
  }

  /** Of its columns, those that have none of these names. */
  without(names: ReadonlySet<string>): Shape {
    return names.size === 0
      ? this
      : new Shape(
          this.columns.filter(({ name }) => !names.has(name)),
          this.open,
          this.unlisted,
        )
  }

  /** Renamed by an alias's column list; names beyond the list stay. Undefined: the list is longer than the columns. */
  renamed(names: readonly string[]): Shape | undefined {
    if (names.length === 0) return this
    const columns = this.byPlace
    if (names.length > columns.length && !this.open) return undefined
    const all = Array.from({ length: Math.max(names.length, columns.length) }, (_, i): ScopeColumn => {
      const column = columns[i]
      const value = column?.value ?? this.row
      const given = names[i]
      if (given !== undefined) return { name: given, value, written: true }
      return column ? { ...column, value } : { name: '', value }
    })
    // A name that was taken away here may be that of a column that kept it.
    return new Shape(all, this.open && derived([this.row]))
  }

  /**
   * The columns, for those who go by their places: where some can't be listed, the others may be anywhere, so that in each place may
   * be any of them.
   */
  get byPlace(): readonly ScopeColumn[] {
    if (!this.open || this.columns.length < 2) return this.columns
    const { sources } = this.row
    const anyOfThem = derived([{ ...opaque, sources }], this.row.risky)
    return this.columns.map((column) => ({ ...column, value: anyOfThem }))
  }

  /** These columns, each of which may be the same of `others` instead; what only those have stays unlisted. */
  or(others: readonly Shape[]): Shape {
    const columns = this.columns.map(({ name, value }) => {
      const same = others.flatMap((other) => other.column(name)?.value ?? [])
      const sources = new Set([value, ...same].flatMap((one) => [...one.sources]))
      return { name, value: { ...value, sources } }
    })
    const known = new Set(this.columns.map(({ name }) => name))
    const more = others.flatMap((other) => other.columns.filter(({ name }) => !known.has(name)))
    return withUnlisted(columns, [this, unlistedOf(more)])
  }
}

/** `columns`, and what `shapes` leave unlisted. */
export function withUnlisted(columns: readonly ScopeColumn[], shapes: readonly Shape[]): Shape {
  const opens = shapes.flatMap(({ open }) => open ?? [])
  if (opens.length === 0) return new Shape(columns)
  const named = shapes.every(({ open, unlisted }) => open === undefined || unlisted !== undefined)
  const names = named ? byName(shapes.flatMap(({ unlisted }) => [...(unlisted ?? [])])) : undefined
  return new Shape(columns, derived(opens), names)
}

function unlistedOf(columns: readonly ScopeColumn[]): Shape {
  if (columns.length === 0) return new Shape([])
  const names = byName(columns.map(({ name, value }) => [name, value]))
  return new Shape([], derived([...names.values()]), names)
}

function byName(named: readonly (readonly [string, Value])[]): Map<string, Value> {
  const names = new Map<string, Value>()
  for (const [name, value] of named) {
    const other = names.get(name)
    names.set(name, other ? derived([other, value]) : value)
  }
  return names
}
