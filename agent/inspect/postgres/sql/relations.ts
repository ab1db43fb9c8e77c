import type { Node } from 'libpg-query'
import { firstOwnOid } from '../../../../shared/postgres/oids.ts'
import type { Catalog, CatalogColumn, CatalogRelation, ColumnId } from '../analysis.ts'
import { parse } from '../parser.ts'
import { kindOfType } from './extent.ts'
import { columnId, splitId, tableId } from './ids.ts'
import { Report } from './report.ts'
import { opaque, type ScopeColumn, Shape, type Value } from './value.ts'

export interface RelationShape {
  shape: Shape
  /** What a view's definition does to those who read it. */
  report?: Report
}

/** Analyses a view's definition: its columns, and the report of the walk. */
export type Expand = (definition: Node, report: Report) => Shape

const deepestView = 24
/** Row policies that look at tables with row policies. */
const deepestPolicy = 12

/**
 * The columns of each relation of a catalog, with views expanded. A catalog is an immutable snapshot,
 * so this is worked out once for each relation.
 */
export class Relations {
  readonly #catalog: Catalog
  readonly #known = new Map<number, RelationShape>()
  readonly #open = new Set<number>()
  readonly #policing = new Set<string>()

  constructor(catalog: Catalog) {
    this.#catalog = catalog
  }

  shape(relation: CatalogRelation, expand: Expand): RelationShape {
    const known = this.#known.get(relation.oid)
    if (known) return known
    const shape = isExpanded(relation) ? this.#view(relation, expand) : { shape: this.#table(relation) }
    this.#known.set(relation.oid, shape)
    return shape
  }

  /** `read` looks into row policies. False: they are being looked into already, or too many others are. */
  policing(relation: CatalogRelation, how: 'reads' | 'writes', read: () => void): boolean {
    const key = `${relation.oid} ${how}`
    if (this.#policing.has(key) || this.#policing.size >= deepestPolicy) return false
    this.#policing.add(key)
    try {
      read()
    } finally {
      this.#policing.delete(key)
    }
    return true
  }

  #table(relation: CatalogRelation): Shape {
    const ancestors = this.#ancestors(relation)
    return new Shape(
      relation.columns.map((column) => {
        const origin = columnId(relation.schema, relation.name, column.name)
        const sources = new Set<ColumnId>([origin])
        for (const parent of ancestors) {
          if (parent.columns.some(({ name }) => name === column.name))
            sources.add(columnId(parent.schema, parent.name, column.name))
        }
        const value = { sources, plain: true, origin, constant: false, risky: false, ...typed(column) }
        return { name: column.name, value }
      }),
    )
  }

  #view(relation: CatalogRelation, expand: Expand): RelationShape {
    const report = new Report('sql:select')
    const name = tableId(relation.schema, relation.name)
    const failed = (why: string): RelationShape => {
      report.doubts(`the view ${name} ${why}`)
      const columns = relation.columns.map((column) => ({ name: column.name, value: opaque }))
      return { shape: new Shape(columns), report }
    }
    if (relation.definition === undefined) return failed('has a definition that can’t be read')
    if (this.#open.has(relation.oid) || this.#open.size >= deepestView) return failed('stands on too many other views')
    const parsed = parse(relation.definition)
    const [statement] = parsed.ok ? parsed.statements : []
    if (!statement) return failed('has a definition that can’t be read')
    this.#open.add(relation.oid)
    let body: Shape
    try {
      body = expand(statement.node, report)
    } finally {
      this.#open.delete(relation.oid)
    }
    if (body.columns.length !== relation.columns.length) return failed('does not match its definition')
    const columns: ScopeColumn[] = relation.columns.map((column, i) => {
      const value = body.columns[i]?.value ?? opaque
      // The view's own column is named too, so that policy can classify either.
      const origin = columnId(relation.schema, relation.name, column.name)
      const sources = new Set(value.sources).add(origin)
      return { name: column.name, value: { ...value, sources, origin, ...typed(column) } }
    })
    return { shape: new Shape(columns), report }
  }

  /** Inheritance and partition parents: a child's column is as sensitive as theirs. */
  #ancestors(relation: CatalogRelation): CatalogRelation[] {
    const found = new Map<number, CatalogRelation>()
    const queue = [...relation.parents]
    for (let oid = queue.pop(); oid !== undefined; oid = queue.pop()) {
      const parent = found.has(oid) ? undefined : this.#catalog.relationByOid(oid)
      if (!parent) continue
      found.set(oid, parent)
      queue.push(...parent.parents)
    }
    return [...found.values()]
  }
}

/** A relation, its partitions, and the tables that inherit from it, however many steps down. */
export function* family(catalog: Catalog, relation: CatalogRelation): Generator<CatalogRelation> {
  const seen = new Set<number>()
  const rest = [relation]
  for (let one = rest.pop(); one !== undefined; one = rest.pop()) {
    if (seen.has(one.oid)) continue
    seen.add(one.oid)
    yield one
    rest.push(...catalog.children(one.oid))
  }
}

/** What an id stands for: a relation, as far as it is known, and of that the column where the id is a column's. */
export function identified(
  catalog: Catalog,
  id: string,
): { relation: CatalogRelation | undefined; name: string; column: string } {
  const [schema, name = '', column = ''] = splitId(id)
  return { relation: catalog.relation(schema, name, []), name, column }
}

function typed(column: CatalogColumn): Pick<Value, 'type' | 'kind' | 'collated'> {
  const own: Pick<Value, 'collated'> = column.collated ? { collated: true } : {}
  if (column.typeName === '') return own
  const type = typeOf(column)
  const kind = kindOfType(type)
  return { type, ...(kind === undefined ? {} : { kind }), ...own }
}

/** PostgreSQL's own type by its name; one that people made is none of these, whatever it is called. */
function typeOf({ typeName, typeOid }: CatalogColumn): string {
  if (typeOid < firstOwnOid) return typeName
  return `${typeName.startsWith('_') ? '_' : ''}#${typeOid}`
}

/**
 * PostgreSQL's own views are taken as tables: what they show is judged column by column (`protected.ts`).
 * So is pg_stat_statements, whose rows come from C code.
 */
function isExpanded(relation: CatalogRelation): boolean {
  if (relation.kind !== 'view' && relation.kind !== 'materialized') return false
  if (relation.schema === 'pg_catalog' || relation.schema === 'information_schema') return false
  return relation.name !== 'pg_stat_statements' && relation.name !== 'pg_stat_statements_info'
}
