import { type RefObject, useEffect, useRef } from 'react'

/** Takes the focus when what had it is gone, as a button is that led here: the keys of this place work at once, and Tab goes on from it. */
export function useFocusHere<T extends HTMLElement>(): RefObject<T | null> {
  const here = useRef<T>(null)
  useEffect(() => {
    if (document.activeElement === document.body) here.current?.focus({ preventScroll: true })
  }, [])
  return here
}
