import { derived, opaque, Shape, type Value } from './value.ts'

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

/** An unqualified column, looked up level by level as PostgreSQL does. `row`: what the name stands for where there is none. */
export function findColumn(scope: Scope, name: string, row?: Value): Value | undefined {
  for (let level: Scope | undefined = scope; level; level = level.parent) {
    const found = listedColumn(level, name)
    if (found) return found
    let open: Value | undefined
    for (const entry of level.entries) {
      if (entry.columnsVisible && entry.shape.open) open = open ? derived([open, entry.shape.open]) : entry.shape.open
    }
    if (open) {
      const outer: Value | undefined = level.parent ? findColumn(level.parent, name, row) : row
      return derived(outer ? [open, outer] : [open])
    }
  }
  return row
}

/** A column of that name that is known to be there, at this level alone. */
export function listedColumn(level: Scope, name: string): Value | undefined {
  let found: Value | undefined
  for (const entry of level.entries) {
    const value = entry.columnsVisible ? columnOf(entry, name) : undefined
    // Two matches are an error to PostgreSQL; the union is never less than what it might mean.
    if (value) found = found ? derived([found, value]) : value
  }
  return found
}

/** The columns of an entry alone, without those that only may exist. */
function columnOf(entry: Entry, name: string): Value | undefined {
  const listed = entry.shape.column(name)?.value
  if (listed || !entry.system || !systemColumns.has(name)) return listed
  return name === 'tableoid' ? (entry.placed ?? opaque) : opaque
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
export function entryColumn(entry: Entry, name: string): Value | undefined {
  return columnOf(entry, name)
}

/** What `*` stands for at this level. Undefined: a part of it can't be listed. */
export function star(scope: Scope): Shape | undefined {
  const shapes = scope.entries.flatMap((entry) => (entry.columnsVisible ? [entry.shape] : []))
  if (shapes.some(({ open, columns }) => open && columns.length === 0)) return undefined
  const opens = shapes.flatMap(({ open }) => open ?? [])
  return new Shape(
    shapes.flatMap(({ columns }) => columns),
    opens.length === 0 ? undefined : derived(opens),
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
