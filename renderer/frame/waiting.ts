import { useQuery } from '@tanstack/react-query'
import type { AccessRequest } from '../../shared/api/models.ts'
import { useAuth, usePerson, useRpc } from '../rpc/context.tsx'

/** All requests that concern the person, newest first, kept fresh by events. */
export function useRequests(): { requests: readonly AccessRequest[]; loading: boolean; error: unknown } {
  const { queries } = useRpc()
  const signedIn = useAuth()?.state === 'signed-in'
  const query = useQuery(queries.gateway.requests.list.queryOptions({ input: { scope: 'all' }, enabled: signedIn }))
  return { requests: query.data ?? [], loading: query.isPending && signedIn, error: query.error }
}

/** It waits for this person: to be decided, or to be reviewed after somebody went on without an approval. */
export function waitsForMe({ state, canReview, afterReview }: AccessRequest): boolean {
  return (state === 'pending' && canReview) || (afterReview?.state === 'open' && afterReview.canReview)
}

/** How many requests wait for this person. */
export function useWaitingForMe(): number {
  return useRequests().requests.filter(waitsForMe).length
}

/** The person's own requests that are held. */
export function useHeldCount(): number {
  const me = usePerson()
  return useRequests().requests.filter((r) => r.state === 'pending' && r.requester.id === me?.id).length
}
