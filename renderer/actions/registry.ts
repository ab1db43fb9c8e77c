import { createStore, type Store } from '../rpc/store.ts'
import type { ActionId } from './table.ts'

/** What an action does now, and what the palette calls it when that says more than its name. */
export interface Handler {
  run(): void
  label?: string
}

/** The actions that can be done now. Each has the handler that came last: what is in front knows best. */
export interface ActionRegistry {
  live: Pick<Store<ReadonlyMap<ActionId, Handler>>, 'get' | 'subscribe'>
  /** Makes an action possible, until the returned function is called. */
  register(id: ActionId, handler: Handler): () => void
  /** Does it, if it is possible now. */
  run(id: ActionId): boolean
}

export function createActions(): ActionRegistry {
  const stacks = new Map<ActionId, Handler[]>()
  const live = createStore<ReadonlyMap<ActionId, Handler>>(new Map())
  const publish = () => {
    const tops = [...stacks].flatMap(([id, stack]): [ActionId, Handler][] => {
      const top = stack.at(-1)
      return top === undefined ? [] : [[id, top]]
    })
    live.set(new Map(tops))
  }
  return {
    live,
    register: (id, handler) => {
      stacks.set(id, [...(stacks.get(id) ?? []), handler])
      publish()
      return () => {
        stacks.set(
          id,
          (stacks.get(id) ?? []).filter((h) => h !== handler),
        )
        publish()
      }
    },
    run: (id) => {
      const handler = live.get().get(id)
      handler?.run()
      return handler !== undefined
    },
  }
}
