import { useSyncExternalStore } from 'react'

/** A value outside React that components can follow. */
export interface Store<T> {
  get(): T
  set(next: T): void
  update(change: (current: T) => T): void
  subscribe(listener: () => void): () => void
}

export function createStore<T>(initial: T): Store<T> {
  let value = initial
  const listeners = new Set<() => void>()
  const set = (next: T) => {
    if (Object.is(value, next)) return
    value = next
    for (const listener of [...listeners]) listener()
  }
  return {
    get: () => value,
    set,
    update: (change) => set(change(value)),
    subscribe: (listener) => {
      listeners.add(listener)
      return () => {
        listeners.delete(listener)
      }
    },
  }
}

type Followed<T> = Pick<Store<T>, 'get' | 'subscribe'>

/** A store's value, or what `select` takes of it: then only a change of that draws the component again. */
export function useStore<T>(store: Followed<T>): T
export function useStore<T, S>(store: Followed<T>, select: (value: T) => S): S
export function useStore<T, S>(store: Followed<T>, select?: (value: T) => S): T | S {
  return useSyncExternalStore<T | S>(store.subscribe, () => (select === undefined ? store.get() : select(store.get())))
}
