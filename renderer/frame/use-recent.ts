import { useEffect, useState } from 'react'
import { useRpc, useSettings } from '../rpc/context.tsx'
import { useStore } from '../rpc/store.ts'
import { useDesk } from './desk.tsx'

const most = 8

/**
 * Keeps which connections were opened last. What it returns is how that was when the window opened: a list that moved with every
 * click would put another connection under the pointer.
 */
export function useRecent(): readonly string[] {
  const { workspace } = useDesk()
  const { live } = useRpc()
  const settings = useSettings()
  const [atStart] = useState(settings?.recent ?? [])
  const current = useStore(workspace.state, (s) => s.documents.find((d) => d.id === s.active)?.connection)
  useEffect(() => {
    const before = live.settings.get()?.recent
    if (current === undefined || before === undefined || before[0] === current) return
    const recent = [current, ...before.filter((name) => name !== current)].slice(0, most)
    live.saveSettings({ recent }).catch((error: unknown) => console.warn('What was opened was not saved.', error))
  }, [current, live])
  return atStart
}
