import type { Changes } from './analysis.ts'

/** The same object where nothing is added. */
export function both(a: Changes | undefined, b: Changes): Changes {
  if (a === undefined || a === 'any') return a ?? b
  if (b === 'any') return b
  return [...b].every((name) => a.has(name)) ? a : new Set([...a, ...b])
}
