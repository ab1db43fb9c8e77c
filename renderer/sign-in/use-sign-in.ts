import { useMutation } from '@tanstack/react-query'
import { useEffect, useRef } from 'react'
import type { Waiting } from '../rpc/auth.ts'
import { type Rpc, useAuth, useRpc } from '../rpc/context.tsx'

/** Starts a sign-in. In a browser the page opens the gateway's sign-in beside itself, as the desktop's core does in the system's. */
export function useSignIn() {
  const rpc = useRpc()
  const waiting = useWaiting()
  const asked = useRef(false)
  const url = waiting?.code === undefined ? waiting?.url : undefined
  useEffect(() => {
    if (url === undefined || !asked.current) return
    asked.current = false
    if (rpc.platform.shell === 'browser') openPage(rpc, url)
  }, [url, rpc])
  return useMutation({
    mutationFn: async ({ gateway, flow }: { gateway: string; flow: 'browser' | 'device' }) => {
      asked.current = flow === 'browser'
      await rpc.client.auth.signIn({ gateway, flow })
    },
  })
}

/** What a sign-in waits for, first or again. */
function useWaiting(): Waiting | undefined {
  const auth = useAuth()
  if (auth?.state === 'waiting') return auth
  return auth?.state === 'expired' ? auth.waiting : undefined
}

/** Opens a page of the gateway where people sign in: the system's browser, or another tab of this one. */
export function openPage({ client, platform }: Pick<Rpc, 'client' | 'platform'>, url: string): void {
  if (platform.shell === 'browser') window.open(url, '_blank', 'noopener')
  else client.app.openExternal({ url }).catch((error: unknown) => console.warn('The page was not opened.', error))
}
