import { useQuery } from '@tanstack/react-query'
import type { Endpoint } from '../../shared/rpc/contract.ts'
import { useAuth, useRpc } from '../rpc/context.tsx'

/** The endpoints, as they are at each moment (rpc/live.ts follows what changes). */
export function useEndpoints() {
  const { queries } = useRpc()
  const signedIn = useAuth()?.state === 'signed-in'
  return useQuery(queries.endpoints.list.queryOptions({ enabled: signedIn, retry: false }))
}

export function useEndpoint(connection: string | undefined): Endpoint | undefined {
  return useEndpoints().data?.find((endpoint) => endpoint.connection === connection)
}
