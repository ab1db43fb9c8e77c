import { useQuery } from '@tanstack/react-query'
import { useAuth, usePerson, useRpc } from '../rpc/context.tsx'

export interface Reviewer {
  id: string
  name: string
}

/** The people of a group that the gateway knows, without oneself; empty where one may not see them. */
export function useReviewers(groups: readonly string[]): readonly Reviewer[] {
  const { queries } = useRpc()
  const me = usePerson()?.id
  const signedIn = useAuth()?.state === 'signed-in'
  const people = useQuery(
    queries.gateway.identities.list.queryOptions({ enabled: signedIn && groups.length > 0, retry: false }),
  ).data
  return (people ?? [])
    .filter((p) => p.kind === 'user' && p.id !== me && p.groups.some((group) => groups.includes(group)))
    .map(({ id, name }) => ({ id, name }))
}

/** `dba: Grace Moreau and 2 others`, for places with one line. */
export function reviewerWords(reviewers: readonly Reviewer[]): string {
  const [first, second] = reviewers
  if (first === undefined) return ''
  if (second === undefined) return first.name
  if (reviewers.length === 2) return `${first.name} and ${second.name}`
  return `${first.name}, ${second.name} and ${reviewers.length - 2} more`
}
