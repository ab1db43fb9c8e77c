/** What is at one place of a lane: one thing, or several that have no room beside each other. */
export interface Place {
  /** Pixels from the lane's left. */
  at: number
  /** Which of the things, in order. */
  of: readonly number[]
}

/** Places of things that are to be pressed, each `gap` wide: apart from each other as long as there is room for all, or else gathered. */
export function placed(places: readonly number[], gap: number, width: number): Place[] {
  if (places.length * gap <= width) return spread(places, gap, width).map((at, i) => ({ at, of: [i] }))
  const cells = new Map<number, number[]>()
  const last = Math.max(0, Math.floor(width / gap) - 1)
  for (const [i, place] of places.entries()) {
    const cell = Math.min(last, Math.max(0, Math.floor(place / gap)))
    const there = cells.get(cell)
    if (there === undefined) cells.set(cell, [i])
    else there.push(i)
  }
  return [...cells].map(([cell, of]) => ({ at: (cell + 0.5) * gap, of }))
}

/**
 * Places in pixels, in order, moved apart so that each is at least `gap` from the next and none is beyond `width`: what is to be pressed
 * must not lie under its neighbour. Where there is no room for all, they share what there is.
 */
export function spread(places: readonly number[], gap: number, width: number): number[] {
  const step = Math.min(gap, places.length > 1 ? width / (places.length - 1) : gap)
  const moved: number[] = []
  for (const place of places) moved.push(Math.max(place, (moved.at(-1) ?? Number.NEGATIVE_INFINITY) + step))
  for (let i = moved.length - 1; i >= 0; i -= 1) {
    const most = i === moved.length - 1 ? width : (moved[i + 1] ?? width) - step
    moved[i] = Math.min(moved[i] ?? 0, most)
  }
  return moved
}

export interface Bar {
  /** Pixels from the lane's left. */
  at: number
  height: number
}

/** Of bars that would lie on each other, within `step` pixels, the highest. In order. */
export function barsOf(bars: readonly Bar[], step: number): Bar[] {
  const kept: Bar[] = []
  for (const bar of bars) {
    const before = kept.at(-1)
    if (before === undefined || bar.at - before.at >= step) kept.push({ ...bar })
    else before.height = Math.max(before.height, bar.height)
  }
  return kept
}
