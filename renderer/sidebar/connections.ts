import { useQueries, useQuery } from '@tanstack/react-query'
import type { Connection } from '../../shared/api/models.ts'
import { useAuth, useRpc } from '../rpc/context.tsx'
import { problemOf } from '../rpc/problem.ts'
import type { SchemaState, TreeInput } from './rows.ts'

/** How long a target may be away, or back, before the tree shows it. The gateway itself looks at most every three seconds. */
const reachMs = 30_000

/** The connections that the person may see. What was known stays while the gateway is away. */
export function useConnections() {
  const { queries } = useRpc()
  const signedIn = useAuth()?.state === 'signed-in'
  return useQuery(queries.gateway.connections.list.queryOptions({ enabled: signedIn, refetchInterval: reachMs }))
}

export function useConnection(name: string): Connection | undefined {
  return useConnections().data?.find((connection) => connection.name === name)
}

/** What is known of the unfolded databases. */
export function useSchemas(names: readonly string[]): TreeInput['schemas'] {
  const { queries } = useRpc()
  const signedIn = useAuth()?.state === 'signed-in'
  const results = useQueries({
    queries: names.map((name) =>
      queries.gateway.connections.schema.queryOptions({ input: { name }, enabled: signedIn, staleTime: 5 * 60_000 }),
    ),
  })
  return new Map(
    names.map((name, i): [string, SchemaState] => {
      const result = results[i]
      if (result?.data !== undefined) return [name, result.data]
      return [name, result?.error ? { problem: problemOf(result.error) } : 'loading']
    }),
  )
}
