import { useMediaQuery } from '@mantine/hooks'
import { useState } from 'react'

/** A panel beside the work. */
export interface Aside {
  open: boolean
  /** There is no room beside the work: it lies over it. */
  over: boolean
  set(open: boolean): void
}

/** Open where there is room for it, until the person says otherwise. */
export function useAside(): Aside {
  const narrow = useMediaQuery('(max-width: 1100px)', undefined, { getInitialValueInEffect: false }) ?? false
  const [chosen, set] = useState<boolean | undefined>(undefined)
  return { open: chosen ?? !narrow, over: narrow, set }
}
