import { actionParents, isAction } from '../../shared/actions.ts'
import { actionName } from '../decisions/words.ts'

export interface ActionGroups {
  /** Whole classes (`read`), and kinds whose class is decided otherwise. */
  names: readonly string[]
  /** The kinds that the classes cover, for whoever wants to know. */
  kinds: readonly string[]
}

/** Actions that share a decision, in the words of a sentence: of a class that is there whole, its kinds are not listed beside it. */
export function inGroups(actions: readonly string[]): ActionGroups {
  const all = new Set(actions)
  const parentOf = (action: string) => (isAction(action) ? actionParents[action] : null)
  const isCovered = (action: string) => {
    const parent = parentOf(action)
    return parent !== null && all.has(parent)
  }
  const named = [...all]
  return {
    names: named.filter((action) => !isCovered(action)).map(actionName),
    kinds: named.filter(isCovered).map(actionName),
  }
}
