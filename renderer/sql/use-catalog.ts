import { useQueryClient } from '@tanstack/react-query'
import { useEffect } from 'react'
import type { SqlCatalog } from '../../shared/rpc/editor.ts'
import { useRpc } from '../rpc/context.tsx'

/** The connection's catalog, one for all its tabs; asked for anew when policies or grants change what is masked. */
export function useCatalog(connection: string): (refresh: boolean) => Promise<SqlCatalog> {
  const cache = useQueryClient()
  const { client, queries, live } = useRpc()
  useEffect(
    () =>
      live.onEvent(({ type }) => {
        if (type === 'policy' || type === 'grant')
          void cache.invalidateQueries({ queryKey: queries.editor.catalog.key() })
      }),
    [cache, queries, live],
  )
  return async (refresh) => {
    const options = queries.editor.catalog.queryOptions({ input: { connection }, staleTime: Number.POSITIVE_INFINITY })
    if (!refresh) return cache.fetchQuery(options)
    const read = await client.editor.catalog({ connection, refresh: true })
    cache.setQueryData(options.queryKey, read)
    return read
  }
}
