/** A small seeded generator (mulberry32): the demo's data is the same on every machine. Not for secrets. */
export interface Random {
  /** [0, 1) */
  next(): number
  /** Whole number in [0, below). */
  below(below: number): number
  /** `count` decimal digits. */
  digits(count: number): string
  /** One of a list that is not empty. */
  pick<T>(from: readonly T[]): T
}

export function seeded(seed: number): Random {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
  const below = (limit: number) => Math.floor(next() * limit)
  return {
    next,
    below,
    digits: (count) => {
      let digits = ''
      for (let i = 0; i < count; i += 1) digits += below(10)
      return digits
    },
    pick: (from) => {
      const picked = from[below(from.length)]
      if (picked === undefined) throw new RangeError('nothing to pick from')
      return picked
    },
  }
}
