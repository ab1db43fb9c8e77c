import { useQuery } from '@tanstack/react-query'
import type { Grant } from '../../shared/decision.ts'
import { actionName } from '../decisions/words.ts'
import { useAuth, usePerson, useRpc } from '../rpc/context.tsx'

/** The person's own grants that are in force now, those that end first before. */
export function useMyGrants(now: number): readonly Grant[] {
  const { queries } = useRpc()
  const me = usePerson()
  const signedIn = useAuth()?.state === 'signed-in'
  const grants = useQuery(queries.gateway.grants.list.queryOptions({ enabled: signedIn }))
  return (grants.data ?? [])
    .filter((g) => g.principalId === me?.id && Date.parse(g.startsAt) <= now && Date.parse(g.endsAt) > now)
    .sort((a, b) => a.endsAt.localeCompare(b.endsAt))
}

/** `write`, `unmask email`: what a grant is for, in few words. */
export function grantWords(grant: Grant): string {
  const names = grant.actions.map((action) => (action === 'unmask' ? 'unmask' : actionName(action)))
  return names.join(', ')
}
