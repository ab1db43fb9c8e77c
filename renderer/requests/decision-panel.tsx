import { useMutation, useQuery } from '@tanstack/react-query'
import type { AccessRequest } from '../../shared/api/models.ts'
import { Icon } from '../decisions/icon.tsx'
import { clock, dayAndTime, hourMinute, timeOfDay, useNow, when } from '../decisions/time.ts'
import { counted } from '../decisions/words.ts'
import { useNavigation } from '../frame/desk.tsx'
import { extension } from '../frame/grants.ts'
import { usePause, usePerson, useRpc } from '../rpc/context.tsx'
import { problemOf } from '../rpc/problem.ts'
import { Button } from '../theme/controls.tsx'
import { AfterReview } from './after-review.tsx'
import { Remind } from './remind.tsx'
import { ReviewForm } from './review-form.tsx'
import { BreakGlass, SayWhy } from './say-why.tsx'
import { Timeline } from './timeline.tsx'

/** Right of a request: how long is left, who has decided, and the decision itself. */
export function DecisionPanel({ request }: { request: AccessRequest }) {
  const me = usePerson()?.id
  const own = request.requester.id === me
  const pending = request.state === 'pending'
  return (
    <aside className="dec scroll" aria-label="Decision">
      {pending && <Expiry request={request} />}
      <Timeline request={request} />
      {pending && request.canReview && <ReviewForm request={request} />}
      {pending && own && request.reasonMissing && <SayWhy request={request} />}
      {pending && own && <Withdraw request={request} />}
      {request.afterReview && <AfterReview request={request} state={request.afterReview} />}
      {request.grant && request.state === 'approved' && <Active request={request} own={own} />}
      {request.sessionId && <SessionFacts id={request.sessionId} />}
      {pending && !request.canReview && (
        <div className="dec__no">
          <Icon name="user-check" />
          <p>{request.whyNot ?? 'This request is open to others only.'}</p>
        </div>
      )}
    </aside>
  )
}

function Expiry({ request }: { request: AccessRequest }) {
  const now = useNow()
  const start = Date.parse(request.createdAt)
  const end = Date.parse(request.expiresAt)
  const share = Math.max(0, Math.min(1, (end - now) / (end - start)))
  return (
    <div className="dec__exp">
      <div className="row">
        <span className="h-label">Expires in</span>
        <span className="right num b dec__left">{clock(end - now)}</span>
      </div>
      <div className="bar d-held">
        <i style={{ width: `${share * 100}%` }} />
      </div>
      <p className="xs t2">At {hourMinute(end)} it expires by itself. Nothing runs.</p>
    </div>
  )
}

function Withdraw({ request }: { request: AccessRequest }) {
  const { client } = useRpc()
  const off = usePause() !== undefined
  const cancel = useMutation({ mutationFn: () => client.gateway.requests.cancel({ id: request.id }) })
  return (
    <div className="dec__own">
      <Button disabled={off || cancel.isPending} onClick={() => cancel.mutate()}>
        Cancel request
      </Button>
      <Remind request={request} />
      {request.canBreakGlass && <BreakGlass request={request} />}
      {cancel.error && <p className="err dec__p">{problemOf(cancel.error).message}</p>}
    </div>
  )
}

/** A grant in force: how long, and how to end it. */
function Active({ request, own }: { request: AccessRequest; own: boolean }) {
  const { client } = useRpc()
  const go = useNavigation()
  const off = usePause() !== undefined
  const now = useNow()
  const { grant } = request
  const end = useMutation({
    mutationFn: (id: string) => (own ? client.gateway.grants.giveBack({ id }) : client.gateway.grants.revoke({ id })),
  })
  if (grant === undefined) return null
  const left = Date.parse(grant.endsAt) - now
  const starts = Date.parse(grant.startsAt)
  if (starts > now)
    return (
      <p className="t2 sm">
        Begins {dayAndTime(grant.startsAt)}, until {dayAndTime(grant.endsAt)}.
      </p>
    )
  if (left <= 0) return <p className="t2 sm">Ended {when(grant.endsAt)}. Access is as it was before.</p>
  return (
    <div>
      <div className="row">
        <span className="h-label">Ends in</span>
        <span className="right num b dec__left">{clock(left)}</span>
      </div>
      <div className="row dec__b">
        {own && (
          <Button size="sm" onClick={() => go.compose(extension(grant))}>
            Extend…
          </Button>
        )}
        <Button size="sm" kind="danger" disabled={off || end.isPending} onClick={() => end.mutate(grant.id)}>
          {own ? 'Give back now' : 'Revoke'}
        </Button>
      </div>
      {end.error && <p className="err dec__p">{problemOf(end.error).message}</p>}
    </div>
  )
}

function SessionFacts({ id }: { id: string }) {
  const { queries } = useRpc()
  const go = useNavigation()
  const session = useQuery(queries.gateway.sessions.get.queryOptions({ input: { id }, retry: false })).data
  const now = useNow()
  // Who may not see the session sees nothing of it here.
  if (session === undefined) return null
  const { counts } = session
  return (
    <div>
      <div className="row">
        <h2 className="h-label">Session</h2>
        <span className="right">
          {session.state === 'live' ? (
            <span className="rec num">live {clock(now - Date.parse(session.startedAt))}</span>
          ) : (
            <span className="xs t3">ended {session.endedAt && timeOfDay(session.endedAt)}</span>
          )}
        </span>
      </div>
      <dl className="kv dec__kv">
        <dt>Before this</dt>
        <dd>
          {counts.allowed} allowed, {counts.masked} masked
        </dd>
        <dt>Blocked</dt>
        <dd>{counts.blocked === 0 ? 'None' : counted(counts.blocked, 'request')}</dd>
      </dl>
      {session.canReplay && (
        <Button size="sm" icon="eye" onClick={() => go.session(id)}>
          {session.state === 'live' ? 'Watch' : 'Replay'}
        </Button>
      )}
    </div>
  )
}
