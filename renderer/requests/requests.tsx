import './composer.css'
import './requests.css'
import './review.css'
import { lazy, Suspense } from 'react'
import { Icon } from '../decisions/icon.tsx'
import { useNavigation, usePlace } from '../frame/desk.tsx'
import { useRequests } from '../frame/waiting.ts'
import { usePause } from '../rpc/context.tsx'
import { Empty, Spinner } from '../theme/controls.tsx'
import { BulkReview } from './bulk.tsx'
import { Composer } from './composer.tsx'
import { Detail } from './detail.tsx'
import { RequestList } from './list.tsx'

const Metrics = lazy(() => import('./metrics.tsx'))

/** Asking and deciding: the lists on the left, the composer or one request on the right. */
export default function Requests() {
  const place = usePlace()
  const go = useNavigation()
  const { requests, error, loading } = useRequests()
  const expired = usePause() === 'expired'
  const picked = place.picked.flatMap((id) => requests.find((request) => request.id === id) ?? [])
  return (
    <>
      <RequestList requests={requests} error={error} loading={loading} />
      <main className="main main--row">
        {place.metrics ? (
          <Suspense fallback={<Spinner label="Opening the charts" />}>
            <Metrics />
          </Suspense>
        ) : picked.length > 0 ? (
          <BulkReview requests={picked} />
        ) : place.draft !== undefined ? (
          <Composer key={JSON.stringify(place.draft)} draft={place.draft} />
        ) : place.request !== undefined ? (
          <Detail key={place.request} id={place.request} />
        ) : (
          <div className="gate__wait grow">
            <Empty
              icon="inbox"
              title={place.list === 'review' ? 'Nothing is open' : 'Requests'}
              text={
                place.list === 'review' ? 'Choose a request to review it.' : 'Choose one of yours, or ask for access.'
              }
            >
              {!expired && (
                <button type="button" className="btn btn--sm" onClick={() => go.compose()}>
                  <Icon name="plus" size={14} />
                  New request
                </button>
              )}
            </Empty>
          </div>
        )}
      </main>
    </>
  )
}
