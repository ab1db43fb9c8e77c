import { type ComponentType, type ReactNode, use } from 'react'

/** A component of a chunk of its own. */
export interface Preloaded<P> {
  (props: P): ReactNode
  /** Loads it, for when it is needed. Rejects when it can't be had; the next call tries again. */
  preload(): Promise<unknown>
}

/**
 * As React's `lazy`, but drawn at once when it has been loaded before: `lazy` shows the fallback the first time in any case, and what
 * follows a fallback is held back for up to 300 ms so that the screen does not flicker.
 */
export function preloaded<P extends object>(load: () => Promise<{ default: ComponentType<P> }>): Preloaded<P> {
  let loaded: ComponentType<P> | undefined
  let loading: Promise<ComponentType<P>> | undefined
  const preload = () => {
    loading ??= load().then(
      (module) => {
        loaded = module.default
        return module.default
      },
      (error: unknown) => {
        loading = undefined
        throw error
      },
    )
    return loading
  }
  const Component = (props: P) => {
    const Loaded = loaded ?? use(preload())
    return <Loaded {...props} />
  }
  return Object.assign(Component, { preload })
}

/** Loads, when there is nothing else to do, what is likely to be needed soon. Returns what calls it off. */
export function preloadWhenIdle(...parts: readonly { preload(): Promise<unknown> }[]): () => void {
  const id = requestIdleCallback(() => {
    for (const part of parts) {
      part
        .preload()
        .catch((error: unknown) => console.warn('A part of the page will be loaded when it is needed.', error))
    }
  })
  return () => cancelIdleCallback(id)
}
