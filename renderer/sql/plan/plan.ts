import { z } from 'zod'

/** One step of a plan. Costs are the planner's own units, times milliseconds of all loops together. */
export interface PlanNode {
  /** Its number in the order of the text form, from 0. */
  id: number
  /** `Hash Join`, `Parallel Seq Scan`. */
  type: string
  /** What it reads: `orders o`, `orders_pkey on orders`. */
  target: string | undefined
  /** Why it is there, where that is not plain: `SubPlan 1`, `CTE totals`. */
  role: string | undefined
  startupCost: number
  totalCost: number
  /** Rows the planner expects, and bytes of each. */
  rows: number
  width: number
  measured: Measured | undefined
  /** Its own part, without its children. */
  ownCost: number
  ownMs: number | undefined
  details: readonly { name: string; value: string }[]
  /** Whoever takes its rows may have had enough before it was done: under a Limit, in EXISTS, beside a join that has found its match. */
  mayStopEarly: boolean
  children: readonly PlanNode[]
}

export interface Measured {
  startupMs: number
  /** Of one loop, as PostgreSQL tells it. */
  totalMs: number
  rows: number
  loops: number
}

export interface Plan {
  root: PlanNode
  planningMs: number | undefined
  executionMs: number | undefined
}

const RawNode = z.looseObject({
  'Node Type': z.string(),
  'Startup Cost': z.number().default(0),
  'Total Cost': z.number().default(0),
  'Plan Rows': z.number().default(0),
  'Plan Width': z.number().default(0),
  'Actual Startup Time': z.number().optional(),
  'Actual Total Time': z.number().optional(),
  'Actual Rows': z.number().optional(),
  'Actual Loops': z.number().optional(),
  'Parallel Aware': z.boolean().optional(),
  'Join Type': z.string().optional(),
  'Inner Unique': z.boolean().optional(),
  Strategy: z.string().optional(),
  'Partial Mode': z.string().optional(),
  Operation: z.string().optional(),
  'Scan Direction': z.string().optional(),
  'Relation Name': z.string().optional(),
  Alias: z.string().optional(),
  'Index Name': z.string().optional(),
  'CTE Name': z.string().optional(),
  'Function Name': z.string().optional(),
  'Parent Relationship': z.string().optional(),
  'Subplan Name': z.string().optional(),
  get Plans() {
    return z.array(RawNode).optional()
  },
})
type RawNode = z.infer<typeof RawNode>

const RawPlan = z
  .array(
    z.looseObject({
      Plan: RawNode,
      'Planning Time': z.number().optional(),
      'Execution Time': z.number().optional(),
    }),
  )
  .min(1)

/** A plan from PostgreSQL's own JSON. Throws when it is something else. */
export function parsePlan(json: string): Plan {
  const [first] = RawPlan.parse(JSON.parse(json))
  if (first === undefined) throw new Error('The plan is empty.')
  let next = 0
  const build = (raw: RawNode, mayStopEarly: boolean): PlanNode => {
    const id = next
    next += 1
    const children = (raw.Plans ?? []).map((child) => build(child, stopsEarly(raw, child, mayStopEarly)))
    const measured = measuredOf(raw)
    return {
      id,
      type: typeOf(raw),
      target: targetOf(raw),
      role: raw['Subplan Name'],
      startupCost: raw['Startup Cost'],
      totalCost: raw['Total Cost'],
      rows: raw['Plan Rows'],
      width: raw['Plan Width'],
      measured,
      ownCost: Math.max(0, raw['Total Cost'] - sum(children.map((child) => child.totalCost))),
      ownMs:
        measured &&
        Math.max(0, measured.totalMs * measured.loops - sum(children.map((child) => allMs(child.measured)))),
      details: Object.entries(raw).flatMap(([name, value]) => detail(name, value)),
      mayStopEarly,
      children,
    }
  }
  return {
    root: build(first.Plan, false),
    planningMs: first['Planning Time'],
    executionMs: first['Execution Time'],
  }
}

/** Steps that take all rows of what feeds them before they give the first. */
const takesAll = new Set(['Sort', 'Hash', 'Aggregate', 'Materialize', 'BitmapAnd', 'BitmapOr', 'ModifyTable', 'SetOp'])

/** Whether `child`, which feeds `parent`, may be left before its end. */
function stopsEarly(parent: RawNode, child: RawNode, parentMay: boolean): boolean {
  const type = parent['Node Type']
  // One row answers EXISTS or IN, and a second one is too many for a scalar.
  if (child['Parent Relationship'] === 'SubPlan' || child['Parent Relationship'] === 'InitPlan') return true
  if (type === 'Limit') return true
  // Ends when its other side does; a match is enough for Semi and Anti, and for an inner side that is unique.
  if (type === 'Merge Join') return true
  if (type === 'Nested Loop' && child['Parent Relationship'] === 'Inner') {
    const join = parent['Join Type']
    if (join === 'Semi' || join === 'Anti' || parent['Inner Unique'] === true) return true
  }
  return parentMay && !takesAll.has(type)
}

/** Every node, in the order of the text form. */
export function nodesOf(root: PlanNode): PlanNode[] {
  return [root, ...root.children.flatMap(nodesOf)]
}

/** A node's own part of the whole, from 0 to 1: of the time where it was measured, of the cost otherwise. */
export function shareOf(node: PlanNode, plan: Plan): number {
  const all = nodesOf(plan.root)
  const total = node.ownMs === undefined ? sum(all.map((n) => n.ownCost)) : sum(all.map((n) => n.ownMs ?? 0))
  return total === 0 ? 0 : (node.ownMs ?? node.ownCost) / total
}

/** The step with the largest part of the whole. */
export function heaviest(plan: Plan): PlanNode {
  return nodesOf(plan.root).reduce((most, node) => (shareOf(node, plan) > shareOf(most, plan) ? node : most))
}

/**
 * How many times more rows came than were expected, or fewer (below 1); undefined where that was not measured, and where fewer came because
 * nobody asked for more.
 */
export function misjudged(node: PlanNode): number | undefined {
  const { measured, rows, mayStopEarly } = node
  if (measured === undefined || measured.loops === 0) return undefined
  const off = Math.max(measured.rows, 1) / Math.max(rows, 1)
  return off < 1 && mayStopEarly ? undefined : off
}

function measuredOf(raw: RawNode): Measured | undefined {
  const loops = raw['Actual Loops']
  if (loops === undefined) return undefined
  return {
    startupMs: raw['Actual Startup Time'] ?? 0,
    totalMs: raw['Actual Total Time'] ?? 0,
    rows: raw['Actual Rows'] ?? 0,
    loops,
  }
}

function allMs(measured: Measured | undefined): number {
  return measured === undefined ? 0 : measured.totalMs * measured.loops
}

/** As the text form writes it. */
function typeOf(raw: RawNode): string {
  const { Strategy: strategy, Operation: operation, 'Join Type': join } = raw
  let type = raw['Node Type']
  if (type === 'ModifyTable' && operation !== undefined) type = operation
  if (type === 'Aggregate') {
    const how = { Hashed: 'HashAggregate', Sorted: 'GroupAggregate', Mixed: 'MixedAggregate' }
    type = strategy === 'Hashed' || strategy === 'Sorted' || strategy === 'Mixed' ? how[strategy] : type
    const partial = raw['Partial Mode']
    if (partial === 'Partial') type = `Partial ${type}`
    if (partial === 'Finalize') type = `Finalize ${type}`
  }
  if (join !== undefined && join !== 'Inner') type = type.replace(/ ?(Join)?$/, ` ${join} Join`)
  if (raw['Scan Direction'] === 'Backward') type = `${type} Backward`
  return raw['Parallel Aware'] === true ? `Parallel ${type}` : type
}

function targetOf(raw: RawNode): string | undefined {
  const table = raw['Relation Name'] ?? raw['CTE Name'] ?? raw['Function Name']
  const alias = raw.Alias !== undefined && raw.Alias !== table ? raw.Alias : undefined
  const named = [table, alias].filter((part) => part !== undefined).join(' ')
  const index = raw['Index Name']
  if (index !== undefined) return named === '' ? index : `${index} on ${named}`
  return named === '' ? undefined : named
}

/** Said elsewhere, or of no use to people. */
const shownElsewhere = new Set([...Object.keys(RawNode.shape), 'Async Capable', 'Disabled'])

const inKilobytes = new Set(['Sort Space Used', 'Peak Memory Usage', 'Disk Usage'])

function detail(name: string, value: unknown): { name: string; value: string }[] {
  if (shownElsewhere.has(name) || value === null || value === undefined) return []
  if (value === 0 || value === false || value === '') return []
  if (Array.isArray(value)) {
    if (value.length === 0) return []
    const plain = value.every((part) => typeof part !== 'object')
    return [{ name, value: plain ? value.join(', ') : JSON.stringify(value) }]
  }
  const unit = inKilobytes.has(name) ? ' kB' : ''
  return [{ name, value: typeof value === 'object' ? JSON.stringify(value) : `${value}${unit}` }]
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, n) => total + n, 0)
}
