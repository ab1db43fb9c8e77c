import { useLayoutEffect } from 'react'

/** When the component goes, the focus goes back to what had it before. */
export function useFocusBack(): void {
  useLayoutEffect(() => {
    const before = document.activeElement
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus()
    }
  }, [])
}
