import { useMemo } from 'react'
import type { AccessRequest } from '../../shared/api/models.ts'
import { useActions, useKeys } from '../actions/use-actions.ts'
import { useNow } from '../decisions/time.ts'
import { useNavigation, usePlace } from '../frame/desk.tsx'
import { useRequests, waitsForMe } from '../frame/waiting.ts'
import { TellMe } from '../notices/system.tsx'
import { usePerson } from '../rpc/context.tsx'
import { problemOf } from '../rpc/problem.ts'
import { Button, Empty, IconButton, Segments, Spinner } from '../theme/controls.tsx'
import { History } from './history.tsx'
import { MineRow, ReviewRow } from './rows.tsx'
import { mineSections, reviewSections, type Section } from './sections.ts'

/** The person's own requests, those to review, and all that ever was. */
export function RequestList({
  requests,
  error,
  loading,
}: {
  requests: readonly AccessRequest[]
  error: unknown
  loading: boolean
}) {
  const newKeys = useKeys('access.request')
  const me = usePerson()?.id
  const { list, request: shown, metrics } = usePlace()
  const go = useNavigation()
  const waiting = requests.filter((request) => request.state === 'pending' && request.canReview)
  const mine = requests.filter((request) => request.requester.id === me).length
  const forMe = requests.filter(waitsForMe).length
  const pickable = list === 'review' && waiting.some((request) => request.id === shown)
  useActions({ 'review.pick': () => shown !== undefined && go.pick(shown) }, pickable)
  return (
    <aside className="side side--wide" aria-label="Requests">
      <div className="side__hd">
        <h2 className="h-label grow">Requests</h2>
        <IconButton icon="gauge" label="Metrics" size={16} active={metrics} onClick={() => go.metrics()} />
        <Button size="sm" kind="ghost" icon="plus" keys={newKeys} onClick={() => go.compose()}>
          New
        </Button>
      </div>
      <div className="side__seg">
        <Segments
          label="Which requests"
          value={list}
          stretch
          onChange={(next) => go.requests(next)}
          options={[
            { value: 'mine', label: <>Mine {mine > 0 && <span className="t3 num">{mine}</span>}</> },
            {
              value: 'review',
              label: <>To review {forMe > 0 && <span className="badge badge--held">{forMe}</span>}</>,
            },
            { value: 'history', label: 'History' },
          ]}
        />
      </div>
      <TellMe />
      {list === 'history' ? (
        <History />
      ) : (
        <div className="side__bd">
          {loading && <Spinner label="Loading" />}
          {error !== null && <p className="err side__err">{problemOf(error).message}</p>}
          {!loading && <Sections list={list} several={waiting.length > 1} />}
        </div>
      )}
    </aside>
  )
}

function Sections({ list, several }: { list: 'mine' | 'review'; several: boolean }) {
  const now = useNow()
  const sections = useSections()
  if (sections.length === 0) {
    return list === 'review' ? (
      <Empty icon="inbox" title="Nothing waits for you" text="New requests appear here." />
    ) : (
      <Empty icon="inbox" title="No requests yet" text="What you ask for, and what is held, appears here." />
    )
  }
  return sections.map((section) => (
    <section key={section.title} aria-label={section.title}>
      <h3 className="rq-h">{section.title}</h3>
      <ul>
        {section.requests.map((request) => (
          <li key={request.id}>
            {list === 'mine' ? (
              <MineRow request={request} now={now} />
            ) : (
              <ReviewRow
                request={request}
                now={now}
                pickable={several && request.state === 'pending' && request.canReview}
              />
            )}
          </li>
        ))}
      </ul>
    </section>
  ))
}

function useSections(): Section[] {
  const { requests } = useRequests()
  const { list } = usePlace()
  const me = usePerson()?.id
  const now = useNow(15_000)
  return useMemo(
    () => (list === 'mine' ? mineSections(requests, me, now) : list === 'review' ? reviewSections(requests, me) : []),
    [requests, list, me, now],
  )
}

/** Ids of the requests in the list in front, from top to bottom. */
export function useListed(): readonly string[] {
  return useSections().flatMap((section) => section.requests.map((request) => request.id))
}
