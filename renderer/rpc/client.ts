import { type ClientLink, createORPCClient } from '@orpc/client'
import type { ContractRouterClient } from '@orpc/contract'
import { createTanstackQueryUtils } from '@orpc/tanstack-query'
import type { rpcContract } from '../../shared/rpc/contract.ts'

/** All that the page can ask of the client core. */
export type RpcClient = ContractRouterClient<typeof rpcContract>

/** The client over whatever link the shell gives: a WebSocket, or a MessagePort. */
export function createClient(link: ClientLink<Record<never, never>>): RpcClient {
  return createORPCClient<RpcClient>(link)
}

/** Query and mutation options for TanStack Query, procedure by procedure. */
export function createQueries(client: RpcClient) {
  return createTanstackQueryUtils(client)
}

export type RpcQueries = ReturnType<typeof createQueries>
