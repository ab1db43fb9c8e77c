import { useEffect, useRef } from 'react'
import type { AccessRequest } from '../../shared/api/models.ts'
import { useAnnounce } from '../decisions/announce.tsx'
import { useNow } from '../decisions/time.ts'
import { useDesk, useNavigation, usePlace } from '../frame/desk.tsx'
import { useMyGrants } from '../frame/grants.ts'
import { waitsForMe } from '../frame/waiting.ts'
import { usePerson, useRpc } from '../rpc/context.tsx'
import { Recent } from './recent.ts'
import { BrokenToast, DecidedToast, EndingToast, HeldToast } from './toasts.tsx'

/** Requests and grants of which it is known what was told: events may come twice, but not after hundreds of others. */
const mostKept = 500

/** Turns the gateway's events into toasts: somebody asks, mine was decided, a grant is about to end. */
export function EventNotices() {
  const { client, live } = useRpc()
  const desk = useDesk()
  const { notices } = desk
  const me = usePerson()?.id
  const go = useNavigation()
  const announce = useAnnounce()
  const go_ = useRef(go)
  go_.current = go
  const told = useRef(new Recent<string, number>(mostKept))
  const seen = useRef(new Recent<string, string>(mostKept))

  useEffect(
    () =>
      live.onEvent((event) => {
        if (event.type !== 'request') return
        const id = event.request.id
        // Whether this person may review it is in the answer to them, not in the event. Asked past the cache, which gives up
        // a question that is on its way when the next event comes: what it would have said must be told.
        client.gateway.requests
          .get({ id })
          .then((request) => {
            const before = seen.current.get(id)
            seen.current.set(id, stage(request))
            if (request.state === 'pending') {
              if (
                request.requester.id === me &&
                request.reviews.length > 0 &&
                told.current.get(id) !== request.reviews.length
              ) {
                told.current.set(id, request.reviews.length)
                notices.show({
                  id,
                  content: <DecidedToast request={request} onOpen={() => go_.current.request(id, 'mine')} />,
                })
                announce(`${request.reviews.at(-1)?.name ?? request.reviews.at(-1)?.by} approved your request.`)
                return
              }
              if (!request.canReview) return request.requester.id === me ? undefined : notices.hide(id)
              // Who has it open sees all of it there.
              const place = desk.place.get()
              if (place.area === 'requests' && place.request === id) return notices.hide(id)
              notices.show({ id, stay: true, content: <HeldToast id={id} initial={request} /> })
              if (before !== stage(request)) {
                const asks = request.remindedAt === undefined ? 'asks' : 'asks again'
                announce(`Held. ${request.requester.name} ${asks} for approval on ${request.connection.name}.`)
              }
              return
            }
            if (before === stage(request)) {
              if (request.requester.id !== me && !waitsForMe(request)) notices.hide(id)
              return
            }
            if (request.requester.id !== me) {
              if (!waitsForMe(request)) return notices.hide(id)
              notices.show({
                id,
                stay: true,
                content: <BrokenToast request={request} onOpen={() => go_.current.request(id, 'review')} />,
              })
              announce(`${request.requester.name} went on without an approval on ${request.connection.name}.`)
              return
            }
            // Who took it back knows.
            if (request.state === 'cancelled') return notices.hide(id)
            notices.show({
              id,
              content: <DecidedToast request={request} onOpen={() => go_.current.request(id, 'mine')} />,
            })
            announce(`Your request on ${request.connection.name}: ${outcomeWords(request)}.`)
          })
          .catch((error: unknown) => console.warn('A request could not be read.', error))
      }),
    [client, live, desk, notices, me, announce],
  )
  const { area, request: open } = usePlace()
  useEffect(() => {
    if (area === 'requests' && open !== undefined) notices.hide(open)
  }, [area, open, notices])
  useEndingGrants()
  return null
}

/** How far it is, as far as people are told. */
function stage({ state, afterReview, remindedAt }: AccessRequest): string {
  if (state === 'pending') return `${state} ${remindedAt ?? ''}`
  return afterReview === undefined ? state : `${state} ${afterReview.state}`
}

function outcomeWords(request: AccessRequest): string {
  const { state, afterReview } = request
  if (afterReview === undefined) return `${state}${decidedBy(request)}`
  return afterReview.state === 'open' ? 'gone on without an approval' : `break-glass ${afterReview.state}`
}

/** ` by Grace Moreau`, where somebody did. */
function decidedBy({ reviews }: AccessRequest): string {
  const names = reviews.map((review) => review.name ?? review.by)
  return names.length === 0 ? '' : ` by ${names.join(' and ')}`
}

/** Says once that a grant ends in less than five minutes, and in less than one, and that it has ended. */
function useEndingGrants() {
  const now = useNow(5_000)
  const grants = useMyGrants(now)
  const { notices } = useDesk()
  const announce = useAnnounce()
  const told = useRef(new Map<string, { minutes: number; connection: string }>())
  useEffect(() => {
    for (const grant of grants) {
      const left = Date.parse(grant.endsAt) - now
      const minutes = left <= 60_000 ? 1 : 5
      const before = told.current.get(grant.id)
      if (left > 5 * 60_000 || (before !== undefined && before.minutes <= minutes)) continue
      told.current.set(grant.id, { minutes, connection: grant.connection })
      if (before === undefined)
        notices.show({ id: `grant-${grant.id}`, stay: true, content: <EndingToast grant={grant} /> })
      announce(`A grant on ${grant.connection} ends in less than ${minutes === 1 ? 'a minute' : 'five minutes'}.`)
    }
    for (const [id, { connection }] of told.current) {
      if (grants.some((grant) => grant.id === id)) continue
      told.current.delete(id)
      announce(`A grant on ${connection} has ended.`)
    }
  }, [grants, now, notices, announce])
}
