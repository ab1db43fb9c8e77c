import type { SessionEffect } from '../analysis.ts'
import { parseSearchPath } from './settings.ts'

/** The search_path between the statements of one query string. `lost`: it may be what it was before, or not. */
export type SearchPath = { kind: 'known' | 'changed'; schemas: readonly string[] } | { kind: 'lost' }

/** Behind a statement with that effect. */
export function pathAfter(path: SearchPath, effect: SessionEffect): SearchPath {
  switch (effect.kind) {
    case 'set': {
      if (effect.name !== 'search_path') return path
      const schemas = effect.value === null ? undefined : parseSearchPath(effect.value)
      return schemas ? { kind: 'changed', schemas } : { kind: 'lost' }
    }
    case 'reset':
      return effect.name === null || effect.name === 'search_path' ? { kind: 'lost' } : path
    case 'end':
    case 'rollback-to':
      return path.kind === 'changed' ? { kind: 'lost' } : path
    default:
      return path
  }
}
