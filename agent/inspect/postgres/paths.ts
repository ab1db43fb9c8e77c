import type { SessionEffect } from './analysis.ts'
import { changesMeaning, changesReading } from './effects.ts'
import { parseSearchPath } from './sql/settings.ts'

/** search_path between the statements of one text: as before it, known, or not to be told. */
export type Path = 'same' | 'lost' | readonly string[]

interface Session {
  /** A setting was changed in a transaction that is not over. */
  readonly stateInTransaction: boolean
  readonly identity: { readonly user: string }
}

/** The search_path once a statement with that effect ran. */
export function pathAfter(path: Path, effect: SessionEffect, { stateInTransaction, identity }: Session): Path {
  if (effect.kind === 'end' || effect.kind === 'rollback-to') {
    return stateInTransaction || path !== 'same' ? 'lost' : path
  }
  if (!changesMeaning(effect) || changesReading(effect)) return path
  if (effect.kind !== 'set' || effect.name !== 'search_path' || effect.value === null) return 'lost'
  const names = parseSearchPath(effect.value)
  // Which role that is may be what was changed before.
  if (names === undefined || (path !== 'same' && names.includes('$user'))) return 'lost'
  return names.map((name) => (name === '$user' ? identity.user : name))
}
