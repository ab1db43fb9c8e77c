import { useMediaQuery } from '@mantine/hooks'

/** Whether there is room for a side bar beside the work; frame.css says the same. */
export function useSideRoom(): boolean {
  return !(useMediaQuery('(max-width: 1000px)', undefined, { getInitialValueInEffect: false }) ?? false)
}
