import { useDesk } from './desk.tsx'

/** Opens something beside the tab that is in front; the first tab has nothing to stand beside. */
export function useOpenInSplit(): (open: () => void) => void {
  const { actions, workspace } = useDesk()
  return (open) => {
    const empty = workspace.state.get().documents.length === 0
    open()
    // Once its tab is in front.
    if (!empty) requestAnimationFrame(() => actions.run('tab.split'))
  }
}
