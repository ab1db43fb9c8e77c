import { type ComponentType, type ReactNode, use, useEffect, useReducer } from 'react'
import { NotHere } from './guard.tsx'

const gone = 'Sallyport may have been closed or updated. What is open here stays as it is.'

/** A component of a chunk of its own. */
export interface Preloaded<P> {
  (props: P): ReactNode
  /** Loads it, for when it is needed. Rejects when it can't be had; the next call tries again. */
  preload(): Promise<unknown>
}

/**
 * As React's `lazy`, but drawn at once when it has been loaded before: `lazy` shows the fallback the first time in any case, and what
 * follows a fallback is held back for up to 300 ms so that the screen does not flicker. And what can't be had, because whatever serves
 * the page is gone, takes nothing else with it: it is said in its place, and tried again by button. `over`: it lies over the window, and
 * is just not there.
 */
export function preloaded<P extends object>(
  load: () => Promise<{ default: ComponentType<P> }>,
  { over = false }: { over?: boolean } = {},
): Preloaded<P> {
  let loaded: ComponentType<P> | undefined
  let loading: Promise<ComponentType<P>> | undefined
  /** What is drawn: always the same promise until it is tried again, or React would ask for it for ever. */
  let drawn: Promise<ComponentType<P> | undefined> | undefined
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
  const draw = () => {
    drawn ??= preload().catch((error: unknown) => {
      console.warn('A part of the page could not be loaded.', error)
      return undefined
    })
    return drawn
  }
  const forget = () => {
    drawn = undefined
  }
  const Component = (props: P) => {
    const [, redraw] = useReducer((n: number) => n + 1, 0)
    // No hook may stand behind this: React goes on here once it is loaded, and `use` is not called then.
    const Loaded = loaded ?? use(draw())
    if (Loaded !== undefined) return <Loaded {...props} />
    const again = () => {
      forget()
      redraw()
    }
    return <Missing over={over} onAgain={again} onLeave={forget} />
  }
  return Object.assign(Component, { preload })
}

/** Who comes back to it later tries again. */
function Missing({ over, onAgain, onLeave }: { over: boolean; onAgain(): void; onLeave(): void }): ReactNode {
  useEffect(() => onLeave, [onLeave])
  if (over) return null
  return <NotHere title="This part could not be loaded" text={gone} label="Try again" onAgain={onAgain} />
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
