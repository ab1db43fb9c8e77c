import type { CatalogRelation, ForeignKey } from '../analysis.ts'
import { leavesBehind } from './collisions.ts'
import { judgeStored } from './functions.ts'
import { tableId } from './ids.ts'
import { policies } from './policies.ts'
import { identified } from './relations.ts'
import type { Walk } from './walk.ts'

/** What happens to rows of a relation. */
export type Change = 'insert' | 'update' | 'delete' | 'truncate'

/**
 * A change of a relation runs the code of its triggers, and of those of its partitions and children. Foreign keys carry it on to
 * tables that nobody named: their rows go or change too, and their triggers run. TRUNCATE with CASCADE (`everywhere`) empties whatever refers to it.
 */
export function changes(relation: CatalogRelation, walk: Walk, how: readonly Change[], everywhere = false): void {
  const seen = new Set<string>()
  const rest: { relation: CatalogRelation; how: Change }[] = how.map((one) => ({ relation, how: one }))
  for (let one = rest.pop(); one !== undefined; one = rest.pop()) {
    const { oid, referencedBy = [] } = one.relation
    const key = `${oid} ${one.how}`
    if (seen.has(key)) continue
    seen.add(key)
    for (const child of walk.catalog.children(oid)) rest.push({ relation: child, how: one.how })
    for (const reference of referencedBy) {
      const next = carried(reference, one.how, everywhere)
      if (next === undefined) continue
      const other = walk.catalog.relationByOid(reference.oid)
      if (other) rest.push({ relation: other, how: next })
      else walk.report.doubts(`changing ${nameOf(one.relation)} changes a table that is not known here`)
    }
    if (one.how === 'delete') leavesBehind(one.relation, undefined, walk)
    policies(one.relation, 'writes', walk)
    triggers(one.relation, walk)
  }
}

/** Through a view, and the views that it stands on, it is the tables beneath that change. */
export function changesThrough(relation: CatalogRelation, walk: Walk, how: readonly Change[]): void {
  const { report, catalog } = walk
  const seen = new Set([relation.oid])
  const rest = [relation]
  for (let one = rest.pop(); one !== undefined; one = rest.pop()) {
    changes(one, walk, how)
    for (const beneath of walk.relation(one).report?.tables ?? []) {
      report.written.add(beneath)
      report.tables.add(beneath)
      const { relation: next } = identified(catalog, beneath)
      if (next === undefined || seen.has(next.oid)) continue
      seen.add(next.oid)
      rest.push(next)
    }
  }
}

/** What a foreign key makes of a change to the table that it refers to. */
function carried({ onDelete, onUpdate }: ForeignKey, how: Change, everywhere: boolean): Change | undefined {
  switch (how) {
    case 'insert':
      return undefined
    case 'update':
      return onUpdate
    case 'delete':
      return onDelete
    case 'truncate':
      return everywhere ? 'truncate' : undefined
    default:
      return how satisfies never
  }
}

function triggers(relation: CatalogRelation, walk: Walk): void {
  if (!relation.hasRules) return
  evaluates(relation, walk)
  const { catalog, report } = walk
  const full = nameOf(relation)
  if (relation.triggers === undefined) {
    report.doubts(`changing ${full} runs triggers or rules, and what they do can't be told`)
  }
  for (const oid of relation.triggers ?? []) {
    const fn = catalog.functionByOid(oid)
    if (fn?.definition === undefined) {
      if (fn?.schema !== 'pg_catalog') report.doubts(`changing ${full} runs a trigger, and what it does can't be told`)
    } else {
      const code = (relation.deferrable?.includes(oid) ? walk.deferred : walk).code(fn, relation)
      if (code.doubt !== undefined) report.doubts(`changing ${full} runs a trigger: ${code.doubt}`)
      report.includeCode(code, `a trigger of ${full}`)
    }
  }
}

/** Defaults, checks, generated columns, indexes, statistics, the partition key and conditions of triggers. */
export function evaluates(relation: CatalogRelation, walk: Walk): void {
  const { catalog, report } = walk
  for (const oid of relation.calls ?? []) {
    const { code, doubt, action } = judgeStored(catalog, oid)
    if (doubt !== undefined) report.doubts(`a default, check or index of ${nameOf(relation)} runs code: ${doubt}`)
    if (action !== undefined) report.does(action)
    for (const one of code) {
      const found = walk.code(one)
      report.includeCode(found, `a default, check, index or trigger of ${nameOf(relation)}`)
      // A default may be shown, and an error says which value a check or index met.
      report.use(found.touched, 'write')
    }
  }
}

/** A change of definitions runs what a superuser left for all of them, in whose messages what it reads may stand. */
export function eventTriggers(walk: Walk): void {
  const { catalog, report } = walk
  for (const oid of catalog.eventTriggers) {
    const fn = catalog.functionByOid(oid)
    if (fn?.definition === undefined) continue
    const code = walk.code(fn)
    for (const column of code.touched) report.reads(column, `an event trigger (${nameOf(fn)})`)
    report.touch(code.touched)
    report.use(code.touched, 'write')
  }
}

function nameOf({ schema, name }: Pick<CatalogRelation, 'schema' | 'name'>): string {
  return tableId(schema, name)
}
