import type { Node } from 'libpg-query'
import { type Action, actionParents, isAction } from '../../../../shared/actions.ts'
import type { ColumnId, ColumnUse, SessionEffect } from '../analysis.ts'
import { changesMeaning } from './settings.ts'

/** Thrown through the walk when a statement is beyond what is analysed; `classify.ts` turns it into a refusal. */
export class TooComplex extends Error {
  constructor() {
    super('The statement is nested too deeply, or too large, to be analysed.')
  }
}

const deepest = 400
const largest = 400_000

/** What has been found of one statement (or of one view's definition) so far. */
export class Report {
  readonly touched = new Set<ColumnId>()
  readonly lookups = new Set<ColumnId>()
  readonly predicates = new Set<ColumnId>()
  readonly writes = new Set<ColumnId>()
  /** Something is computed from them, whether it is shown or not. */
  readonly computed = new Set<ColumnId>()
  /** The same without what the definitions of views compute, which who reads them can't steer. */
  readonly computedHere = new Set<ColumnId>()
  /** Columns of rows that are there already, which get other values. */
  readonly replaced = new Set<ColumnId>()
  /** Columns that code of people's own looks at, and may give back. */
  readonly coded = new Set<ColumnId>()
  /** Columns that say in which partitions the rows are that are read. */
  readonly placed = new Set<ColumnId>()
  /** Columns that the statement does not name, and what looks at them in its place, for people. */
  readonly readers = new Map<ColumnId, string>()
  readonly tables = new Set<string>()
  readonly written = new Set<string>()
  readonly functions = new Set<string>()
  /** People's own code that it runs, by oid, named or not. */
  readonly followed = new Set<number>()
  readonly effects: SessionEffect[] = []
  /** Nodes that are evaluated exactly once whenever the statement runs. */
  readonly certain = new WeakSet<object>()
  /** Calls whose first argument is a column that WHERE holds to one literal. */
  readonly pinned = new WeakMap<object, string>()
  /** Changes of definitions in a DO block, each to be judged as a statement of its own. */
  readonly definitions: Node[] = []
  action: Action
  hasWhere = true
  literalFree = true
  doubt: string | undefined
  /** Code of people's own runs. */
  runsCode = false
  /** And changes rows. */
  codeWrites = false
  /** It changes rows itself. */
  changesRows = false
  #comparing = false
  #depth = 0
  #nodes = 0

  constructor(action: Action) {
    this.action = action
  }

  /** The first doubt: there is no relation of that name. */
  missing: string | undefined

  /** A relation that is named, and not known. */
  misses(name: string): void {
    if (this.doubt === undefined) this.missing = name
    this.doubts(`no table or view ${name} is known on this connection`)
  }

  /** The first doubt is the one that people read. */
  doubts(text: string): void {
    this.doubt ??= text
  }

  /** The statement's action is the strongest of what its parts do. */
  does(action: Action): void {
    this.action = stronger(this.action, action)
  }

  use(sources: ReadonlySet<ColumnId>, how: ColumnUse['how']): void {
    if (sources.size === 0) return
    if (how === 'compute') {
      this.#computeIn(this.computed, sources)
      this.#computeIn(this.computedHere, sources)
      return
    }
    const set = how === 'predicate' ? this.predicates : how === 'lookup' ? this.lookups : this.writes
    for (const source of sources) set.add(source)
  }

  touch(sources: ReadonlySet<ColumnId>): void {
    for (const source of sources) this.touched.add(source)
  }

  /** Estimated bytes of what it holds. The columns' names are the catalog's. */
  get bytes(): number {
    const { touched, lookups, predicates, writes, tables, written, functions, computed, coded } = this
    let entries = 0
    for (const set of [touched, lookups, predicates, writes, tables, written, functions, computed, coded])
      entries += set.size
    return 1_024 + 48 * entries
  }

  /** Takes over what a view's definition does to those who read it. */
  include(view: Report): void {
    this.touch(view.touched)
    this.use(view.lookups, 'lookup')
    this.use(view.predicates, 'predicate')
    this.#computeIn(this.computed, view.computed)
    for (const column of view.coded) this.coded.add(column)
    for (const column of view.placed) this.placed.add(column)
    for (const [column, who] of view.readers) this.reads(column, who)
    for (const name of view.functions) this.functions.add(name)
    for (const oid of view.followed) this.followed.add(oid)
    this.does(view.action)
    this.runsCode ||= view.runsCode
    this.codeWrites ||= view.codeWrites
    if (view.doubt) this.doubts(view.doubt)
    // How often a view's columns are computed, and whether at all, is the planner's to say.
    if (view.setsMeaning) this.doubts('a view that it reads changes settings which later names depend on')
  }

  /** It changes settings that the meaning of what follows depends on. */
  get setsMeaning(): boolean {
    return this.effects.some((effect) => effect.kind === 'set' && changesMeaning(effect.name))
  }

  /** The outermost of those that look at it is the one that people know of. */
  reads(column: ColumnId, who: string): void {
    if (!this.readers.has(column)) this.readers.set(column, who)
  }

  /** Takes over what code does that is run. `who`: what it is, for people. */
  includeCode(code: Report, who: string): void {
    for (const column of code.touched) {
      this.coded.add(column)
      this.reads(column, who)
    }
    this.include(code)
    this.runsCode = true
    this.codeWrites ||= code.written.size > 0
    this.use(code.writes, 'write')
    for (const table of code.tables) this.tables.add(table)
    for (const table of code.written) this.written.add(table)
  }

  #computeIn(set: Set<ColumnId>, sources: ReadonlySet<ColumnId>): void {
    if (!this.#comparing) for (const source of sources) set.add(source)
  }

  /** Nothing comes of what `walk` computes but whether a row is taken. */
  comparing<T>(walk: () => T): T {
    this.#comparing = true
    const result = walk()
    this.#comparing = false
    return result
  }

  enter(): void {
    if (++this.#depth > deepest || ++this.#nodes > largest) throw new TooComplex()
  }

  leave(): void {
    this.#depth--
  }
}

const order = ['sql:read', 'sql:write', 'sql:ddl', 'sql:admin']
/** Within a class: what a policy is likelier to forbid is stronger. */
const heavier: readonly Action[] = [
  'sql:session',
  'sql:listen',
  'sql:show',
  'sql:explain',
  'sql:select',
  'sql:fetch',
  'sql:copy',
  'sql:lock',
  'sql:notify',
  'sql:insert',
  'sql:copy-in',
  'sql:call',
  'sql:update',
  'sql:merge',
  'sql:delete',
  'sql:truncate',
  'sql:system',
  'sql:replication',
  'sql:copy-file',
  'sql:unknown',
]

/** The first of two that are equally strong. */
export function stronger(a: Action, b: Action): Action {
  return strength(b) > strength(a) ? b : a
}

/** Of a class above that of changes of rows. */
export function isBeyondWrites(action: Action): boolean {
  return levelOf(action) > levelOf('sql:write')
}

function strength(action: Action): number {
  return levelOf(action) * 100 + heavier.indexOf(action)
}

function levelOf(action: Action): number {
  const parent: string = actionParents[action] ?? action
  return order.indexOf(isAction(parent) ? parent : action)
}
