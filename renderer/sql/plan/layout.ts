import { hierarchy, tree } from 'd3-hierarchy'
import type { PlanNode } from './plan.ts'

/** Size of a step's card and the space between cards, in pixels. */
export const card = { width: 200, height: 76, across: 28, down: 12 } as const

export interface Placed {
  node: PlanNode
  parent: PlanNode | undefined
  depth: number
  /** The upper left corner. */
  x: number
  y: number
}

/** Where each step stands: the last on the left, what feeds it to its right. In the order of the text form. */
export function layout(root: PlanNode): { placed: readonly Placed[]; width: number; height: number } {
  const top = hierarchy(root, (node) => node.children)
  const laid = tree<PlanNode>()
    .nodeSize([card.height + card.down, card.width + card.across])
    .separation(() => 1)(top)
  const all = laid.descendants()
  const first = Math.min(...all.map((n) => n.x))
  const placed = all
    .map((n) => ({ node: n.data, parent: n.parent?.data, depth: n.depth, x: n.y, y: n.x - first }))
    .sort((a, b) => a.node.id - b.node.id)
  return {
    placed,
    width: Math.max(...placed.map((p) => p.x)) + card.width,
    height: Math.max(...placed.map((p) => p.y)) + card.height,
  }
}
