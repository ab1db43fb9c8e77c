import { useMediaQuery } from '@mantine/hooks'
import { useStore } from '../rpc/store.ts'
import { useDesk, usePlace } from './desk.tsx'

/** Whether there is room for a side bar beside the work; frame.css says the same. */
export function useSideRoom(): boolean {
  return !(useMediaQuery('(max-width: 1000px)', undefined, { getInitialValueInEffect: false }) ?? false)
}

/** The side bar: whether there is room for it beside the work, and whether it is shown. */
export function useSide(): { room: boolean; shown: boolean } {
  const { workspace } = useDesk()
  const { area, side } = usePlace()
  const kept = useStore(workspace.state, (s) => s.sidebar)
  const room = useSideRoom()
  return { room, shown: area === 'connections' && (room ? kept : side) }
}
