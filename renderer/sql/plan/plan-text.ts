import type { Plan, PlanNode } from './plan.ts'

/** A plan as lines, in the way of psql: each step with its figures, indented under the one that it feeds. */
export function planText(plan: Plan): string {
  const lines = linesOf(plan.root, 0)
  if (plan.planningMs !== undefined) lines.push(`Planning Time: ${plan.planningMs.toFixed(3)} ms`)
  if (plan.executionMs !== undefined) lines.push(`Execution Time: ${plan.executionMs.toFixed(3)} ms`)
  return lines.join('\n')
}

function linesOf(node: PlanNode, depth: number): string[] {
  const lead = depth === 0 ? '' : `${' '.repeat(depth * 6 - 4)}->  `
  const under = ' '.repeat(depth === 0 ? 2 : depth * 6 + 2)
  const role = node.role === undefined ? [] : [`${' '.repeat(Math.max(0, depth * 6 - 4))}${node.role}`]
  return [
    ...role,
    `${lead}${headline(node)}`,
    ...node.details.map(({ name, value }) => `${under}${name}: ${value}`),
    ...node.children.flatMap((child) => linesOf(child, depth + 1)),
  ]
}

function headline({ type, target, startupCost, totalCost, rows, width, measured }: PlanNode): string {
  const using = target !== undefined && / on /.test(target)
  const what = target === undefined ? '' : using ? ` using ${target}` : ` on ${target}`
  const cost = `(cost=${startupCost.toFixed(2)}..${totalCost.toFixed(2)} rows=${rows} width=${width})`
  if (measured === undefined) return `${type}${what}  ${cost}`
  if (measured.loops === 0) return `${type}${what}  ${cost} (never executed)`
  const { startupMs, totalMs, loops } = measured
  const actual = `(actual time=${startupMs.toFixed(3)}..${totalMs.toFixed(3)} rows=${measured.rows} loops=${loops})`
  return `${type}${what}  ${cost} ${actual}`
}
