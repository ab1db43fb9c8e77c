import type { Changes } from './analysis.ts'
import { withTables } from './catalog/fresh.ts'
import { freshAfter } from './sql/fresh.ts'
import type { Judged, Meaning } from './statements.ts'

/** The same object where nothing is added. */
export function both(a: Changes | undefined, b: Changes): Changes {
  if (a === undefined || a === 'any') return a ?? b
  if (b === 'any') return b
  return [...b].every((name) => a.has(name)) ? a : new Set([...a, ...b])
}

/** What names mean to the statements behind one: the catalog shows nothing yet of the definitions that it changes, but for tables it made. */
export function after(meaning: Meaning, { analysis }: Judged): Meaning {
  let { uncommitted } = meaning
  const before = meaning.catalog.fresh ?? []
  let fresh = before
  for (const effect of analysis.effects) {
    if (effect.kind === 'ddl') uncommitted = both(uncommitted, effect.changes)
    fresh = freshAfter(fresh, effect)
  }
  if (fresh !== before) return { ...meaning, uncommitted, catalog: withTables(meaning.catalog, fresh) }
  return uncommitted === meaning.uncommitted ? meaning : { ...meaning, uncommitted }
}
