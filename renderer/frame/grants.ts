import { useQuery } from '@tanstack/react-query'
import { useRef } from 'react'
import type { Grant } from '../../shared/decision.ts'
import { actionName } from '../decisions/words.ts'
import { useAuth, usePerson, useRpc } from '../rpc/context.tsx'
import type { RequestDraft } from './desk.tsx'

/** From here on an end is near: Extend is offered in the open. */
export const nearEndMs = 5 * 60_000
/** The last minute is shown solid. */
export const lastMinuteMs = 60_000
/** Clocks may differ by so much. */
const skewMs = 3_000
/** So long after its end a grant is still named. */
const endedShownMs = 2 * 60_000

/** The person's own grants that are in force now, those that end first before. */
export function useMyGrants(now: number): readonly Grant[] {
  const { queries } = useRpc()
  const me = usePerson()
  const signedIn = useAuth()?.state === 'signed-in'
  const grants = useQuery(queries.gateway.grants.list.queryOptions({ enabled: signedIn }))
  // `now` may be a tick old, and this computer's clock a little behind the gateway's: what came just now is in force.
  const at = Math.max(now, Date.now())
  return (grants.data ?? [])
    .filter((g) => g.principalId === me?.id && Date.parse(g.startsAt) <= at + skewMs && Date.parse(g.endsAt) > at)
    .sort((a, b) => a.endsAt.localeCompare(b.endsAt))
}

/** A grant that ended a moment ago: when it really did, which is earlier than planned where it was given back or revoked. */
export interface EndedGrant {
  grant: Grant
  endedAt: number
}

/** Those of `active` that have gone since, for two minutes: who works under a grant sees that it is over. */
export function useEndedGrants(active: readonly Grant[], now: number): readonly EndedGrant[] {
  const known = useRef<{ active: readonly Grant[]; ended: readonly EndedGrant[] }>({ active: [], ended: [] })
  known.current = { active, ended: endedSince(known.current, active, now) }
  return known.current.ended
}

/** Pure part of `useEndedGrants`: what has ended, given what was known before. */
export function endedSince(
  before: { active: readonly Grant[]; ended: readonly EndedGrant[] },
  active: readonly Grant[],
  now: number,
): readonly EndedGrant[] {
  const here = new Set(active.map((grant) => grant.id))
  const gone = before.active
    .filter((grant) => !here.has(grant.id))
    .map((grant) => ({ grant, endedAt: Math.min(now, Date.parse(grant.endsAt)) }))
  return [...before.ended.filter((ended) => !here.has(ended.grant.id)), ...gone].filter(
    ({ endedAt }) => now - endedAt < endedShownMs,
  )
}

/** `write`, `unmask email`: what a grant is for, in few words. */
export function grantWords(grant: Grant): string {
  const names = grant.actions.map((action) =>
    action === 'unmask' ? ['unmask', grant.dataClasses.join(', ')].join(' ').trim() : actionName(action),
  )
  return names.join(', ')
}

/** The composer, filled in to ask for the same again. */
export function extension(grant: Grant): RequestDraft {
  const { connection, actions, dataClasses } = grant
  return { connection, actions, dataClasses, extends: grant.id }
}

/** How to go on: what holds is extended; what has ended can't be, and is asked for anew. */
export function onward(grant: Grant, now: number): { label: string; draft: RequestDraft } {
  const holds = Date.parse(grant.endsAt) > now
  return holds ? { label: 'Extend…', draft: extension(grant) } : { label: 'Ask again…', draft: askAgain(grant) }
}

/** The composer, filled in to ask for what has ended once more. */
export function askAgain(grant: Grant): RequestDraft {
  const { connection, actions, dataClasses } = grant
  return { connection, actions, dataClasses }
}
