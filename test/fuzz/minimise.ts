import type { Input } from './input.ts'

/** The smallest input found that still fails, by leaving parts out and shortening what stays. */
export async function minimise(input: Input, fails: (input: Input) => Promise<boolean>): Promise<Input> {
  let best = input
  for (let size = Math.ceil(best.pieces.length / 2); size >= 1; ) {
    let shrunk = false
    for (let at = 0; at < best.pieces.length; ) {
      const pieces = [...best.pieces.slice(0, at), ...best.pieces.slice(at + size)]
      if (await fails({ ...best, pieces })) {
        best = { ...best, pieces }
        shrunk = true
      } else at += size
    }
    if (size === 1 && !shrunk) break
    size = size === 1 ? 1 : Math.ceil(size / 2)
  }
  for (let at = best.tampers.length - 1; at >= 0; at--) {
    const tampers = best.tampers.filter((_, i) => i !== at)
    if (await fails({ ...best, tampers })) best = { ...best, tampers }
  }
  for (const [at, one] of best.pieces.entries()) {
    if (one.joined) continue
    const pieces = best.pieces.map((piece, i) => (i === at ? { ...piece, joined: true } : piece))
    if (await fails({ ...best, pieces })) best = { ...best, pieces }
  }
  return best
}
