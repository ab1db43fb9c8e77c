import { createContext, type ReactNode, useContext } from 'react'
import type { LinkState, Platform, Settings } from '../../shared/rpc/contract.ts'
import type { Auth } from './auth.ts'
import type { RpcClient, RpcQueries } from './client.ts'
import { type CoreState, isLost } from './link.ts'
import type { Live } from './live.ts'
import { type Store, useStore } from './store.ts'

/** Everything that the page has from outside, in one place. */
export interface Rpc {
  client: RpcClient
  queries: RpcQueries
  live: Live
  core: Pick<Store<CoreState>, 'get' | 'subscribe'>
  platform: Platform
}

const Context = createContext<Rpc | undefined>(undefined)

export function RpcProvider({ value, children }: { value: Rpc; children: ReactNode }) {
  return <Context value={value}>{children}</Context>
}

export function useRpc(): Rpc {
  const rpc = useContext(Context)
  if (rpc === undefined) throw new Error('useRpc outside RpcProvider')
  return rpc
}

export function usePlatform(): Platform {
  return useRpc().platform
}

export function useAuth(): Auth | undefined {
  return useStore(useRpc().live.auth)
}

export function useSettings(): Settings | undefined {
  return useStore(useRpc().live.settings)
}

export function useGatewayLink(): LinkState | undefined {
  return useStore(useRpc().live.link)
}

/** The signed-in person, or the one whose sign-in ended; undefined before any. */
export function usePerson(): { id: string; name: string; groups: string[] } | undefined {
  const auth = useAuth()
  return auth?.state === 'signed-in' || auth?.state === 'expired' ? auth.person : undefined
}

/** Whether the page reaches the client core. */
export function useCore(): CoreState {
  return useStore(useRpc().core)
}

/** Why nothing can be sent now; undefined when all is well. */
export type Pause = 'expired' | 'gateway-down' | 'core-down'

export function usePause(): Pause | undefined {
  const coreState = useCore()
  const auth = useAuth()
  const link = useGatewayLink()
  if (isLost(coreState)) return 'core-down'
  if (auth?.state === 'expired') return 'expired'
  if (link?.state === 'down') return 'gateway-down'
  return undefined
}
