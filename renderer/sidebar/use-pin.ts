import { useRpc, useSettings } from '../rpc/context.tsx'

/** Whether a connection is pinned, and how to change that. */
export function usePin(name: string): { on: boolean; toggle(): void } {
  const { live } = useRpc()
  const pinned = useSettings()?.pinned ?? []
  const on = pinned.includes(name)
  const toggle = () => {
    live
      .saveSettings({ pinned: on ? pinned.filter((other) => other !== name) : [...pinned, name] })
      .catch((error: unknown) => console.warn('The pin was not saved.', error))
  }
  return { on, toggle }
}
