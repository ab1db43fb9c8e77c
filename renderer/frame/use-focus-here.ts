import { type RefObject, useEffect, useRef } from 'react'

/**
 * Takes the focus when what had it is gone, as a button is that led here, or that went with `state`: the keys of this place work at once,
 * and Tab goes on from it.
 */
export function useFocusHere<T extends HTMLElement>(state?: string): RefObject<T | null> {
  const here = useRef<T>(null)
  // biome-ignore lint/correctness/useExhaustiveDependencies: looked at anew with each state
  useEffect(() => {
    if (document.activeElement === document.body) here.current?.focus({ preventScroll: true })
  }, [state])
  return here
}
