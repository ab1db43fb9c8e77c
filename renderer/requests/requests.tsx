import './composer.css'
import './requests.css'
import './review.css'
import { Suspense } from 'react'
import type { AccessRequest } from '../../shared/api/models.ts'
import { copyText } from '../decisions/copy.ts'
import { type Place, useNavigation, usePlace } from '../frame/desk.tsx'
import { useRequests } from '../frame/waiting.ts'
import { usePause, usePerson } from '../rpc/context.tsx'
import { useConnections } from '../sidebar/connections.ts'
import { Button, Empty, Spinner } from '../theme/controls.tsx'
import { preloaded } from '../theme/preloaded.tsx'
import { BulkReview } from './bulk.tsx'
import { Composer } from './composer.tsx'
import { Detail } from './detail.tsx'
import { RequestList } from './list.tsx'

const Metrics = preloaded(() => import('./metrics.tsx'))

/** Asking and deciding: the lists on the left, the composer or one request on the right. */
export default function Requests() {
  const place = usePlace()
  const go = useNavigation()
  const { requests, error, loading } = useRequests()
  const expired = usePause() === 'expired'
  // Until they are known, too.
  const mayAsk = useConnections().data?.length !== 0
  const picked = place.picked.flatMap((id) => requests.find((request) => request.id === id) ?? [])
  return (
    <>
      <RequestList requests={requests} error={error} loading={loading} />
      <main className="main main--row">
        {place.metrics ? (
          <Suspense
            fallback={
              <div className="gate__wait grow">
                <Spinner label="Opening the charts" />
              </div>
            }
          >
            <Metrics />
          </Suspense>
        ) : picked.length > 0 ? (
          <BulkReview requests={picked} />
        ) : place.draft !== undefined && mayAsk ? (
          <Composer key={JSON.stringify(place.draft)} draft={place.draft} />
        ) : place.draft !== undefined ? (
          <NothingToAskFor />
        ) : place.request !== undefined ? (
          <Detail key={place.request} id={place.request} />
        ) : (
          <div className="gate__wait grow">
            <Empty icon="inbox" {...nothingOpen(place.list, requests, mayAsk)}>
              {!expired && mayAsk && place.list === 'mine' && (
                <Button size="sm" icon="plus" onClick={() => go.compose()}>
                  New request
                </Button>
              )}
            </Empty>
          </div>
        )}
      </main>
    </>
  )
}

/** What is said while no request is open: nobody is sent to choose from a list that has nothing in it. */
function nothingOpen(
  list: Place['list'],
  requests: readonly AccessRequest[],
  mayAsk: boolean,
): { title: string; text: string } {
  switch (list) {
    case 'review':
      return requests.some((request) => request.canReview)
        ? { title: 'Nothing is open', text: 'Choose a request to review it.' }
        : { title: 'Nothing to review', text: 'What others ask for, and you may decide, appears on the left.' }
    case 'history':
      return { title: 'History', text: 'Choose a request to see what was asked, and what came of it.' }
    case 'mine':
      return {
        title: 'Requests',
        text: mayAsk
          ? 'Choose one of yours, or ask for access.'
          : 'There is no connection that your groups may ask for.',
      }
    default:
      return list satisfies never
  }
}

/** Instead of a composer that has no connection to choose. */
function NothingToAskFor() {
  const go = useNavigation()
  const groups = usePerson()?.groups ?? []
  return (
    <div className="gate__wait grow">
      <Empty
        icon="lock"
        title="There is nothing to ask for"
        text={`No connection can be asked for as one of ${groups.join(', ') || 'no group'}. Tell the people who keep the policy your groups.`}
      >
        <span className="row">
          <Button size="sm" onClick={() => copyText(groups.join(', '))}>
            Copy my groups
          </Button>
          <Button size="sm" kind="ghost" onClick={() => go.requests('mine')}>
            Back
          </Button>
        </span>
      </Empty>
    </div>
  )
}
