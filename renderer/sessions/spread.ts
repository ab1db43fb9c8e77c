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
