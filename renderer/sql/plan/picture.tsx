import { type KeyboardEvent, useEffect, useMemo, useRef } from 'react'
import { Icon } from '../../decisions/icon.tsx'
import { milliseconds } from '../../decisions/time.ts'
import { counted } from '../../decisions/words.ts'
import { card, layout, type Placed } from './layout.ts'
import { type Plan, type PlanNode, shareOf } from './plan.ts'
import { warningsOf } from './warnings.ts'

/** The plan as a tree of cards, moved through by arrows: right to what feeds a step, left to what it feeds. */
export function PlanPicture({ plan, chosen, onChoose }: { plan: Plan; chosen: number; onChoose(node: number): void }) {
  const { placed, width, height } = useMemo(() => layout(plan.root), [plan])
  const cards = useRef(new Map<number, HTMLElement>())
  const frame = useRef<HTMLDivElement>(null)
  // What took most is where people look first.
  useEffect(() => {
    if (frame.current !== null) centre(frame.current, cards.current.get(chosen))
  }, [chosen])
  const go = (to: number | undefined) => {
    if (to === undefined) return
    onChoose(to)
    cards.current.get(to)?.focus({ preventScroll: true })
  }
  const onKeyDown = (event: KeyboardEvent) => {
    const to = target(event.key, placed, chosen)
    if (to === undefined) return
    event.preventDefault()
    go(to)
  }
  return (
    <div className="plan__pic scroll" ref={frame}>
      <div className="plan__field" style={{ width, height }} role="tree" aria-label="Steps of the plan">
        <svg className="plan__lines" width={width} height={height} aria-hidden="true">
          {placed.map((p) => {
            const to = placed.find((other) => other.node === p.parent)
            return to && <path key={p.node.id} d={edge(to, p)} strokeWidth={weight(p.node)} />
          })}
        </svg>
        {placed.map((p) => (
          <PlanCard
            key={p.node.id}
            placed={p}
            plan={plan}
            chosen={p.node.id === chosen}
            onChoose={() => go(p.node.id)}
            onKeyDown={onKeyDown}
            keep={(element) => {
              if (element === null) cards.current.delete(p.node.id)
              else cards.current.set(p.node.id, element)
            }}
          />
        ))}
      </div>
    </div>
  )
}

/** By its own scrolling alone: `scrollIntoView` would move the whole window with it. */
function centre(frame: HTMLElement, card: HTMLElement | undefined): void {
  if (card === undefined) return
  const [outer, inner] = [frame.getBoundingClientRect(), card.getBoundingClientRect()]
  frame.scrollBy({
    left: inner.left + inner.width / 2 - outer.left - outer.width / 2,
    top: inner.top + inner.height / 2 - outer.top - outer.height / 2,
  })
}

function PlanCard({
  placed: { node, depth, x, y },
  plan,
  chosen,
  onChoose,
  onKeyDown,
  keep,
}: {
  placed: Placed
  plan: Plan
  chosen: boolean
  onChoose(): void
  onKeyDown(event: KeyboardEvent): void
  keep(element: HTMLElement | null): void
}) {
  const share = shareOf(node, plan)
  const measured = node.measured
  const percent = `${Math.round(share * 100)}%`
  const what = node.ownMs === undefined ? `${percent} of cost` : `${milliseconds(node.ownMs)} · ${percent}`
  const rows =
    measured === undefined
      ? `≈ ${counted(node.rows, 'row')}`
      : counted(Math.round(measured.rows * measured.loops), 'row')
  const warnings = warningsOf(node)
  const never = measured?.loops === 0
  return (
    <div
      ref={keep}
      role="treeitem"
      aria-level={depth + 1}
      aria-selected={chosen}
      tabIndex={chosen ? 0 : -1}
      className={['plan__card', chosen && 'is-on', never && 'is-never'].filter(Boolean).join(' ')}
      style={{ left: x, top: y, width: card.width, height: card.height }}
      onClick={onChoose}
      onKeyDown={onKeyDown}
    >
      <span className="plan__type trunc">
        <b>{node.type}</b> {node.role && <span className="t3">{node.role}</span>}
      </span>
      {node.target === undefined && warnings[0] !== undefined ? (
        <span className="plan__target plan__warn trunc">{warnings[0]}</span>
      ) : (
        <span className="plan__target trunc mono">{node.target}</span>
      )}
      <span className="plan__bar" aria-hidden="true">
        <span style={{ width: `${Math.max(share * 100, share > 0 ? 1 : 0)}%` }} />
      </span>
      <span className="plan__nums num">
        <span>{never ? 'Never ran' : what}</span>
        <span className="right row row--4">
          {warnings.length > 0 && <Icon name="alert" size={12} />}
          {rows}
          {warnings.length > 0 && <span className="visually-hidden">, {warnings.join(', ')}</span>}
        </span>
      </span>
    </div>
  )
}

/** The card that a key leads to. */
function target(key: string, placed: readonly Placed[], chosen: number): number | undefined {
  const at = placed.findIndex((p) => p.node.id === chosen)
  const here = placed[at]
  switch (key) {
    case 'ArrowRight':
      return here?.node.children[0]?.id
    case 'ArrowLeft':
      return here?.parent?.id
    case 'ArrowDown':
      return placed[at + 1]?.node.id
    case 'ArrowUp':
      return placed[at - 1]?.node.id
    case 'Home':
      return placed[0]?.node.id
    case 'End':
      return placed.at(-1)?.node.id
    default:
      return undefined
  }
}

/** From the right side of the step that is fed to the left of the one that feeds it. */
function edge(to: Placed, from: Placed): string {
  const [x1, y1] = [to.x + card.width, to.y + card.height / 2]
  const [x2, y2] = [from.x, from.y + card.height / 2]
  const middle = (x1 + x2) / 2
  return `M${x1},${y1} C${middle},${y1} ${middle},${y2} ${x2},${y2}`
}

/** Thicker with every power of ten of rows. */
function weight({ measured, rows }: PlanNode): number {
  const count = measured === undefined ? rows : measured.rows * measured.loops
  return 1 + Math.min(6, Math.log10(Math.max(1, count)))
}
