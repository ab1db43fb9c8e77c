import type { AccessRequest } from '../../shared/api/models.ts'
import { useKeys } from '../actions/use-actions.ts'
import { Avatar, Chip } from '../decisions/chip.tsx'
import { EnvTag, kindIcon } from '../decisions/environment.tsx'
import { Icon } from '../decisions/icon.tsx'
import { clock, useNow, when } from '../decisions/time.ts'
import { requestLook, requestTitle } from '../decisions/words.ts'
import { useNavigation, usePlace } from '../frame/desk.tsx'
import { TellMe } from '../notices/system.tsx'
import { usePerson } from '../rpc/context.tsx'
import { problemOf } from '../rpc/problem.ts'
import { Button, Empty, Segments, Spinner } from '../theme/controls.tsx'

type Section = { title: string; requests: readonly AccessRequest[] }

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
  const { list } = usePlace()
  const go = useNavigation()
  const now = useNow()
  const mine = requests.filter((request) => request.requester.id === me)
  const waiting = requests.filter((request) => request.state === 'pending' && request.canReview).length
  const sections = (list === 'mine' ? mineSections(mine, now) : reviewSections(requests, me)).filter(
    (section) => section.requests.length > 0,
  )
  return (
    <aside className="side side--wide" aria-label="Requests">
      <div className="side__hd">
        <h2 className="h-label grow">Requests</h2>
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
            { value: 'mine', label: <>Mine {mine.length > 0 && <span className="t3 num">{mine.length}</span>}</> },
            {
              value: 'review',
              label: <>To review {waiting > 0 && <span className="badge badge--held">{waiting}</span>}</>,
            },
          ]}
        />
      </div>
      <TellMe />
      <div className="side__bd">
        {loading && <Spinner label="Loading" />}
        {error !== null && <p className="err side__err">{problemOf(error).message}</p>}
        {!loading && sections.length === 0 && list === 'review' && (
          <Empty icon="inbox" title="Nothing waits for you" text="New requests appear here." />
        )}
        {!loading && sections.length === 0 && list === 'mine' && (
          <Empty icon="inbox" title="No requests yet" text="What you ask for, and what is held, appears here." />
        )}
        {sections.map((section) => (
          <section key={section.title} aria-label={section.title}>
            <h3 className="rq-h">{section.title}</h3>
            <ul>
              {section.requests.map((request) => (
                <li key={request.id}>
                  {list === 'mine' ? (
                    <MineRow request={request} now={now} />
                  ) : (
                    <ReviewRow request={request} now={now} />
                  )}
                </li>
              ))}
            </ul>
          </section>
        ))}
      </div>
    </aside>
  )
}

function mineSections(mine: readonly AccessRequest[], now: number): Section[] {
  const active = (request: AccessRequest) =>
    request.state === 'approved' && request.grant !== undefined && Date.parse(request.grant.endsAt) > now
  return [
    { title: 'Waiting', requests: mine.filter((r) => r.state === 'pending') },
    { title: 'Active', requests: mine.filter(active) },
    { title: 'Earlier', requests: mine.filter((r) => r.state !== 'pending' && !active(r)) },
  ]
}

function reviewSections(requests: readonly AccessRequest[], me: string | undefined): Section[] {
  const others = requests.filter((r) => r.requester.id !== me)
  return [
    { title: 'Needs you', requests: others.filter((r) => r.state === 'pending' && r.canReview) },
    { title: 'Reviewed by others', requests: others.filter((r) => r.state === 'pending' && !r.canReview) },
    {
      title: 'Yours, reviewed by others',
      requests: requests.filter((r) => r.requester.id === me && r.state === 'pending'),
    },
    { title: 'Decided', requests: others.filter((r) => r.state !== 'pending') },
  ]
}

function useRow(request: AccessRequest) {
  const { request: shown, list } = usePlace()
  const go = useNavigation()
  return { on: shown === request.id, open: () => go.request(request.id, list) }
}

function MineRow({ request, now }: { request: AccessRequest; now: number }) {
  const { on, open } = useRow(request)
  const { detail, ...look } = requestLook(request, now)
  const end = request.grant && request.state === 'approved' ? Date.parse(request.grant.endsAt) : undefined
  return (
    <button type="button" className={on ? 'rq is-on' : 'rq'} aria-current={on} onClick={open}>
      <span className="rq__k">
        <Icon name={kindIcon(request.connection)} />
      </span>
      <span className="grow">
        <span className="row row--6">
          <b className="m trunc">{request.connection.name}</b>
          <EnvTag environment={request.connection.environment} />
        </span>
        <span className="rq__s trunc">{requestTitle(request)}</span>
        <span className="row rq__c">
          <Chip look={look}>{detail ?? (look.word === 'Granted' && end ? clock(end - now) : undefined)}</Chip>
          <span className="right xs t3 num nowrap">{mineMeta(request, now)}</span>
        </span>
      </span>
    </button>
  )
}

function mineMeta(request: AccessRequest, now: number): string {
  if (request.state === 'pending') return clock(now - Date.parse(request.createdAt))
  if (request.grant && Date.parse(request.grant.endsAt) > now && request.state === 'approved') {
    return `until ${when(request.grant.endsAt, now)}`
  }
  const by = request.reviews.at(-1)?.by
  const at = when(request.decidedAt ?? request.createdAt, now)
  return by === undefined ? at : `${by} · ${at}`
}

function ReviewRow({ request, now }: { request: AccessRequest; now: number }) {
  const { on, open } = useRow(request)
  const me = usePerson()?.id
  const own = request.requester.id === me
  const { detail, ...look } = requestLook(request, now)
  const name = own ? 'You' : request.requester.name
  const pending = request.state === 'pending'
  return (
    <button
      type="button"
      className={['rq', on && 'is-on', own && 'is-own'].filter(Boolean).join(' ')}
      aria-current={on}
      onClick={open}
    >
      <Avatar name={request.requester.name} size={24} />
      <span className="grow">
        <span className="row row--6">
          <b className="m trunc">{name}</b>
          <span className="right xs t3 num nowrap">
            {pending
              ? `${clock(Date.parse(request.expiresAt) - now)} left`
              : when(request.decidedAt ?? request.createdAt, now)}
          </span>
        </span>
        <span className="rq__s trunc">{requestTitle(request)}</span>
        <span className="row row--6 rq__c">
          <EnvTag environment={request.connection.environment} />
          <span className="sm t2 row trunc row--5">
            <Icon name={kindIcon(request.connection)} size={14} />
            {request.connection.name}
          </span>
          <span className="right">
            <Chip look={look}>{detail}</Chip>
          </span>
        </span>
      </span>
    </button>
  )
}
