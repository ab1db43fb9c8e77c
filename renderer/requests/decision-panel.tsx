import { useMutation, useQuery } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import type { AccessRequest } from '../../shared/api/models.ts'
import { useActions, useKeys } from '../actions/use-actions.ts'
import { Avatar } from '../decisions/chip.tsx'
import { Icon } from '../decisions/icon.tsx'
import { clock, hourMinute, timeOfDay, useNow, when } from '../decisions/time.ts'
import { approvals, counted, spokenDuration } from '../decisions/words.ts'
import { useNavigation, usePlace } from '../frame/desk.tsx'
import { extension } from '../frame/grants.ts'
import { usePause, usePerson, useRpc } from '../rpc/context.tsx'
import { problemOf } from '../rpc/problem.ts'
import { Button } from '../theme/controls.tsx'

/** Right of a request: how long is left, who has decided, and the decision itself. */
export function DecisionPanel({ request }: { request: AccessRequest }) {
  const me = usePerson()?.id
  const own = request.requester.id === me
  return (
    <aside className="dec scroll" aria-label="Decision">
      {request.state === 'pending' && <Expiry request={request} />}
      <Steps request={request} me={me} />
      {request.state === 'pending' && request.canReview && <Form request={request} />}
      {request.state === 'pending' && own && <Withdraw request={request} />}
      {request.grant && request.state === 'approved' && <Active request={request} own={own} />}
      {request.sessionId && <SessionFacts id={request.sessionId} />}
      {request.state === 'pending' && !request.canReview && (
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

/** Who has decided, and whose turn it is. */
function Steps({ request, me }: { request: AccessRequest; me: string | undefined }) {
  const open = request.state === 'pending' ? request.approval.count - approvals(request) : 0
  return (
    <div>
      <h2 className="h-label">Approvals</h2>
      <ol className="steps">
        {request.reviews.map((review) => (
          <li className="is-done" key={review.by}>
            <span className={`steps__n ${review.verdict === 'approve' ? 'd-granted' : 'd-blocked'}`}>
              <Icon name={review.verdict === 'approve' ? 'check' : 'x'} size={12} />
            </span>
            <div className="grow">
              <div className="row row--6">
                <Avatar name={review.by} />
                <b className="m">{review.by === me ? 'You' : review.by}</b>
                <span className="right xs t3 num">{when(review.at)}</span>
              </div>
              <div className="sm t2">{review.verdict === 'approve' ? 'Approved' : 'Denied'}</div>
              {review.reason !== '' && <p className="quote">{review.reason}</p>}
            </div>
          </li>
        ))}
        {Array.from({ length: open }, (_, i) => i).map((i) => (
          <li className={i === 0 && request.canReview ? 'is-now' : undefined} key={`open-${i}`}>
            <span className="steps__n">{request.reviews.length + i + 1}</span>
            <div className="grow">
              <b className="m">{i === 0 && request.canReview ? 'You' : request.approval.group}</b>
              <div className="sm t2">{i === 0 && request.canReview ? request.approval.group : 'waiting'}</div>
            </div>
          </li>
        ))}
        {request.reviews.length === 0 && open === 0 && <li className="t2 sm">Nobody decided.</li>}
      </ol>
    </div>
  )
}

/** A comment and two buttons; neither has the focus until the person gives it. */
function Form({ request }: { request: AccessRequest }) {
  const { client } = useRpc()
  const off = usePause() !== undefined
  const [comment, setComment] = useState('')
  const [asked, setAsked] = useState(false)
  const field = useRef<HTMLTextAreaElement>(null)
  const { focus } = usePlace()
  useEffect(() => {
    if (focus === 'deny') field.current?.focus()
  }, [focus])
  const { id } = request
  const reason = comment.trim()
  const approve = useMutation({ mutationFn: () => client.gateway.requests.approve({ id, reason }) })
  const deny = useMutation({ mutationFn: () => client.gateway.requests.deny({ id, reason }) })
  const busy = off || approve.isPending || deny.isPending || approve.isSuccess || deny.isSuccess
  const last = approvals(request) + 1 >= request.approval.count
  const once = request.kind === 'once'
  const refuse = () => {
    if (busy) return
    // A denial says why: the comment first.
    if (reason === '') {
      setAsked(true)
      field.current?.focus()
    } else deny.mutate()
  }
  useActions({
    'review.approve': () => {
      if (!busy) approve.mutate()
    },
    // Deleting a line of the comment is no denial.
    'review.deny': () => {
      if (comment === '' || document.activeElement !== field.current) refuse()
    },
  })
  const approveKeys = useKeys('review.approve')
  const denyKeys = useKeys('review.deny')
  const failed = approve.error ?? deny.error
  return (
    <div className="dec__fm">
      <label className="h-label" htmlFor="review-comment">
        Comment <span className="t3 dec__req">required to deny</span>
      </label>
      <div className={asked && reason === '' ? 'input input--area is-error' : 'input input--area'}>
        <textarea
          id="review-comment"
          ref={field}
          value={comment}
          maxLength={2000}
          aria-invalid={asked && reason === ''}
          aria-describedby="review-hint"
          onChange={(event) => setComment(event.target.value)}
        />
      </div>
      {asked && reason === '' && <p className="err dec__p">Say why: {request.requester.name} sees your comment.</p>}
      {failed && <p className="err dec__p">{problemOf(failed).message}</p>}
      <div className="row dec__b">
        <Button
          kind="primary"
          icon="check"
          className="grow"
          keys={approveKeys}
          disabled={busy}
          onClick={() => approve.mutate()}
        >
          {once && last ? 'Approve and run' : 'Approve'}
        </Button>
        <Button kind="danger" icon="x" keys={denyKeys} disabled={busy} onClick={refuse}>
          Deny
        </Button>
      </div>
      <p className="xs t2 dec__p" id="review-hint">
        {effect(request, last, once)}
      </p>
    </div>
  )
}

function effect(request: AccessRequest, last: boolean, once: boolean): string {
  const { name } = request.requester
  if (!last) return `Another approval is needed after yours. ${name} sees your comment.`
  if (once) return `You are the last approval. It runs when you approve, and ${name} sees your comment.`
  const time = spokenDuration(request.durationSeconds ?? request.approval.windowSeconds)
  return `You are the last approval. The ${time} start when you approve, and ${name} sees your comment.`
}

function Withdraw({ request }: { request: AccessRequest }) {
  const { client } = useRpc()
  const off = usePause() !== undefined
  const cancel = useMutation({ mutationFn: () => client.gateway.requests.cancel({ id: request.id }) })
  return (
    <div>
      <Button disabled={off || cancel.isPending} onClick={() => cancel.mutate()}>
        Cancel request
      </Button>
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
  const end = useMutation({ mutationFn: (id: string) => client.gateway.grants.revoke({ id }) })
  if (grant === undefined) return null
  const left = Date.parse(grant.endsAt) - now
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
