import type { Catalog, CatalogRelation, StatementAnalysis } from './analysis.ts'
import { withTables } from './catalog/fresh.ts'
import { analyse } from './classify.ts'
import type { Execution, Expected } from './expected.ts'
import type { Line } from './line.ts'
import { backend } from './messages.ts'
import { showsMore } from './shown.ts'
import { splitId } from './sql/ids.ts'
import { identified } from './sql/relations.ts'
import type { Read } from './statements.ts'

/** What a result begins with: by then the target has looked up every name, and has locked what they stand for. Or what is in its place. */
const results: ReadonlySet<number | undefined> = new Set([
  backend.rowDescription,
  backend.dataRow,
  backend.copyOutResponse,
  backend.error,
])

/**
 * A statement may have waited since it was decided on, for a lock or behind others of its own text, while definitions changed. Masks go by
 * places, and columns that move may do so unseen where the target does not say whose they are. So before its result is looked at, what it
 * stands on is compared with what was known. `type`: of the message that comes. Undefined: nothing has to be waited for.
 */
export function overtaken(line: Line, type: number | undefined): Promise<void> | undefined {
  if (!results.has(type)) return undefined
  const head = line.queue.peek()
  const execution = head?.current
  if (head === undefined || execution === undefined) return undefined
  const { began, compared, run, decidedOn } = execution
  if (began || compared || run.free || decidedOn === undefined || !standsOn(execution)) return undefined
  const { target, shared } = line
  const outdated = shared.outdated(execution.n)
  if (!outdated && target.current === decidedOn) return undefined
  execution.compared = true
  const compare = (now: Catalog | undefined): void => {
    execution.overtaken = now && (changed(execution, decidedOn, now, head) ?? masked(execution, line))
  }
  if (!outdated) {
    compare(target.current)
    return undefined
  }
  return target.refresh().then(compare, () => {
    execution.overtaken = 'What its names stand for could not be read again.'
  })
}

/** Whether definitions changed since it was decided on, as far as is known: what it says on its way may come of code that is new. */
export function mayBeOvertaken({ target, shared }: Line, { run, decidedOn, n }: Execution): boolean {
  return !run.free && decidedOn !== undefined && (target.current !== decidedOn || shared.outdated(n))
}

/** Whether it needs any definition at all. */
function standsOn({ judged: { analysis } }: Execution): boolean {
  const { tables, written, functions, followed } = analysis
  return tables.length > 0 || written.length > 0 || functions.length > 0 || followed !== undefined
}

function changed({ judged }: Execution, then: Catalog, now: Catalog, head: Expected): string | undefined {
  const { tables, written, functions, followed = [] } = judged.analysis
  for (const id of new Set([...tables, ...written])) {
    const [before, after] = [identified(then, id).relation, identified(now, id).relation]
    // What its own text made is known by that alone.
    if (before === undefined) continue
    const own = madeBefore(head, before)
    if (own === undefined ? meaning(before) !== meaning(after) : names(own) !== names(after)) return words(id)
  }
  for (const id of functions) {
    const [schema, name = ''] = splitId(id)
    const code = (catalog: Catalog) =>
      JSON.stringify(catalog.functions(schema, name, []).map(({ oid, definition }) => [oid, definition]))
    if (code(then) !== code(now)) return words(id)
  }
  const other = [...followed].find((oid) => then.functionByOid(oid)?.definition !== now.functionByOid(oid)?.definition)
  if (other !== undefined) return words(then.functionByOid(other)?.name ?? 'code that it runs')
  return judged.reads.every((read) => meansTheSame(read, now))
    ? undefined
    : 'What it does changed since this was decided on.'
}

/** A table that inherits from one of its own by now has what is masked. */
function masked(execution: Execution, line: Line): string | undefined {
  const { meaning } = line
  if (meaning === undefined || !showsMore(execution, meaning, line)) return undefined
  return 'More of what it shows is masked since this was decided on.'
}

/** Names in it, in views and in code may stand for something else by now, though what they stood for is as it was. */
function meansTheSame({ text, index, searchPath, deferred, fresh, analysis }: Read, now: Catalog): boolean {
  const again = analyse(text, fresh.length === 0 ? now : withTables(now, fresh), { searchPath, deferred })
  const one = again.ok ? again.statements[index] : undefined
  return one !== undefined && deeds(one) === deeds(analysis)
}

/** All that it does, with what PREPARE and DECLARE in it do when they are used. */
function deeds(one: StatementAnalysis): string {
  const { action, tables, written, columns, functions, hasWhere, complete, doubt, outputs, uses, copyOut, code } = one
  const inside = one.effects.flatMap((effect) => {
    if (effect.kind === 'declare') return [deeds(effect.statement), deeds(effect.moved)]
    return effect.kind === 'prepare' ? [deeds(effect.statement)] : []
  })
  const runs = [...(one.followed ?? [])].sort((a, b) => a - b)
  const does = [action, tables, written, columns, functions, hasWhere, complete, doubt, outputs, uses, copyOut, code]
  return JSON.stringify([does, runs, inside])
}

/** What statements before it in its text made of a relation, and may have committed. */
function madeBefore({ executions, at }: Expected, { schema, name }: CatalogRelation): CatalogRelation | undefined {
  return executions
    .slice(0, at)
    .flatMap(({ judged }) => judged.analysis.effects.flatMap((one) => (one.kind === 'ddl' ? (one.fresh ?? []) : [])))
    .findLast((one) => one.schema === schema && one.name === name)
}

function meaning(relation: CatalogRelation | undefined): string | undefined {
  if (relation === undefined) return undefined
  const { oid, definition, policies, columns } = relation
  return JSON.stringify([oid, definition, policies, columns.map((one) => [one.name, one.attnum, one.typeOid])])
}

function names(relation: CatalogRelation | undefined): string | undefined {
  return relation && JSON.stringify(relation.columns.map(({ name }) => name))
}

function words(id: string): string {
  return `${id} changed since this was decided on.`
}
