import { derived, dressed, opaque, type ScopeColumn, type Shape, type Value, withUnlisted } from './value.ts'

/** One item of a FROM clause, as names see it. */
export interface Entry {
  /** Its alias, or the relation's own name; undefined: a join that only merges columns. */
  readonly name: string | undefined
  /** The schema by which an unaliased relation may be qualified. */
  readonly schema: string | undefined
  readonly shape: Shape
  /** Has ctid, xmin and the like. */
  readonly system: boolean
  /** What `tableoid` tells of. */
  readonly placed?: Value
  /** `name.column` finds it. A join's alias hides what is inside. */
  readonly relationVisible: boolean
  /** `column` finds it. A join's merged columns hide those that they merge. */
  readonly columnsVisible: boolean
}

/** WITH queries in reach, innermost first. */
export interface Ctes {
  readonly name: string
  readonly shape: Shape
  readonly next: Ctes | undefined
}

export interface Scope {
  readonly entries: readonly Entry[]
  readonly parent: Scope | undefined
  readonly ctes: Ctes | undefined
}

export const topScope: Scope = { entries: [], parent: undefined, ctes: undefined }

const systemColumns = new Set(['ctid', 'xmin', 'xmax', 'cmin', 'cmax', 'tableoid'])

export function findCte(ctes: Ctes | undefined, name: string): Shape | undefined {
  for (let cte = ctes; cte; cte = cte.next) if (cte.name === name) return cte.shape
  return undefined
}

/**
 * An unqualified column, looked up level by level as PostgreSQL does. `row`: what the name stands for where there is none. One that the
 * statement does not name itself may be gone when it runs: then the name is looked up further out, and as sensitive as what it finds there.
 */
export function findColumn(scope: Scope, name: string, row?: Value): Value | undefined {
  for (let level: Scope | undefined = scope; level; level = level.parent) {
    const found = listedColumn(level, name)
    if (found?.written) return found.value
    const open = unlisted(level, found && name)
    if (!found && !open) continue
    const outer = level.parent ? findColumn(level.parent, name, row) : row
    if (found) return orElse(orElse(found.value, open), outer)
    if (open) return derived(outer ? [open, outer] : [open])
  }
  return row
}

/** What a column may be that can't be listed; where it is known which there are, one of that name. */
function unlisted(level: Scope, name: string | undefined): Value | undefined {
  let found: Value | undefined
  for (const { columnsVisible, shape } of level.entries) {
    const one = shape.unlisted && name !== undefined ? shape.unlisted.get(name) : shape.open
    if (columnsVisible && one) found = found ? derived([found, one]) : one
  }
  return found
}

/** A column of that name that is known to be there, at this level alone. */
export function listedColumn(level: Scope, name: string): ScopeColumn | undefined {
  let found: ScopeColumn | undefined
  for (const entry of level.entries) {
    const column = entry.columnsVisible ? columnOf(entry, name) : undefined
    // Two matches are an error to PostgreSQL; the union is never less than what it might mean.
    if (column) found = found ? { name, value: derived([found.value, column.value]) } : column
  }
  return found
}

/** What a name stands for, or `other` where that is gone. */
export function orElse(value: Value, other: Value | undefined): Value {
  if (!other || [...other.sources].every((id) => value.sources.has(id))) return value
  const kind = value.kind === other.kind ? value.kind : undefined
  const collated = value.collated ?? other.collated
  if (!value.plain || !other.plain) {
    const growth = Math.max(value.growth ?? 1, other.growth ?? 1)
    return { ...dressed(derived([value, other]), [value, other]), kind, collated, growth }
  }
  const { type, ...rest } = value
  const sources = new Set([...value.sources, ...other.sources])
  return { ...rest, ...(type !== undefined && type === other.type ? { type } : {}), kind, collated, sources }
}

/** The columns of an entry alone, without those that only may exist. */
function columnOf(entry: Entry, name: string): ScopeColumn | undefined {
  const listed = entry.shape.column(name)
  if (listed || !entry.system || !systemColumns.has(name)) return listed
  return { name, value: name === 'tableoid' ? (entry.placed ?? opaque) : opaque, written: true }
}

/** `relation` or `schema.relation` in front of a column, or alone as a whole row. */
export function findEntry(scope: Scope, schema: string | undefined, name: string): Entry | undefined {
  for (let level: Scope | undefined = scope; level; level = level.parent) {
    for (const entry of level.entries) {
      if (!entry.relationVisible || entry.name !== name) continue
      if (schema === undefined || entry.schema === schema) return entry
    }
  }
  return undefined
}

/** A column of that name that is known to be there. */
export function entryColumn(entry: Entry, name: string): ScopeColumn | undefined {
  return columnOf(entry, name)
}

/** What `*` stands for at this level. Undefined: a part of it can't be listed. */
export function star(scope: Scope): Shape | undefined {
  const shapes = scope.entries.flatMap((entry) => (entry.columnsVisible ? [entry.shape] : []))
  if (shapes.some(({ open, columns }) => open && columns.length === 0)) return undefined
  return withUnlisted(
    shapes.flatMap(({ columns }) => columns),
    shapes,
  )
}

/** What has a name of its own and no schema. */
export function entry(name: string | undefined, shape: Shape): Entry {
  return { name, schema: undefined, shape, system: false, relationVisible: name !== undefined, columnsVisible: true }
}

/** The same entries with their columns, or columns and names, out of reach. */
export function hidden(entries: readonly Entry[], names: boolean): Entry[] {
  return entries.map((entry) => ({
    ...entry,
    columnsVisible: false,
    relationVisible: names ? false : entry.relationVisible,
  }))
}
