import { useMutation } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import type { AccessRequest } from '../../shared/api/models.ts'
import { useActions, useKeys } from '../actions/use-actions.ts'
import { approvals, spokenDuration } from '../decisions/words.ts'
import { usePlace } from '../frame/desk.tsx'
import { usePause, useRpc } from '../rpc/context.tsx'
import { problemOf } from '../rpc/problem.ts'
import { Button, Segments } from '../theme/controls.tsx'
import { durationsUpTo } from './durations.ts'

/** A comment and two buttons; neither has the focus until the person gives it. Access for a time may be shortened. */
export function ReviewForm({ request }: { request: AccessRequest }) {
  const { client } = useRpc()
  const off = usePause() !== undefined
  const [comment, setComment] = useState('')
  const [asked, setAsked] = useState(false)
  const asks = request.kind === 'grant' ? (request.durationSeconds ?? request.approval.windowSeconds) : undefined
  const [seconds, setSeconds] = useState(asks)
  const field = useRef<HTMLTextAreaElement>(null)
  const { focus } = usePlace()
  useEffect(() => {
    if (focus === 'deny') field.current?.focus()
  }, [focus])
  const { id } = request
  const reason = comment.trim()
  const shortened = seconds !== undefined && asks !== undefined && seconds < asks ? seconds : undefined
  const approve = useMutation({
    mutationFn: () =>
      client.gateway.requests.approve({
        id,
        reason,
        ...(shortened === undefined ? {} : { durationSeconds: shortened }),
      }),
  })
  const deny = useMutation({ mutationFn: () => client.gateway.requests.deny({ id, reason }) })
  const busy = off || approve.isPending || deny.isPending || approve.isSuccess || deny.isSuccess
  const last = approvals(request) + 1 >= (request.progress?.needed ?? request.approval.count)
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
      {asks !== undefined && (
        <Shorten asks={asks} value={seconds ?? asks} onChange={setSeconds} name={request.requester.name} />
      )}
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
      {asked && reason === '' && (
        <p className="err dec__p" role="alert">
          Say why: {request.requester.name} sees your comment.
        </p>
      )}
      {failed && (
        <p className="err dec__p" role="alert">
          {problemOf(failed).message}
        </p>
      )}
      <div className="row dec__b">
        <Button
          kind="primary"
          icon={request.stepUp ? 'fingerprint' : 'check'}
          className="grow"
          keys={approveKeys}
          disabled={busy}
          onClick={() => approve.mutate()}
        >
          {approveWords(once && last, shortened)}
        </Button>
        <Button kind="danger" icon="x" keys={denyKeys} disabled={busy} onClick={refuse}>
          Deny
        </Button>
      </div>
      <p className="xs t2 dec__p" id="review-hint">
        {effect(request, last, seconds)}
        {request.stepUp && ' Your browser asks for your second factor first.'}
      </p>
    </div>
  )
}

function approveWords(runs: boolean, shortened: number | undefined): string {
  if (runs) return 'Approve and run'
  return shortened === undefined ? 'Approve' : `Approve ${spokenDuration(shortened)}`
}

/** How long, at most as long as was asked for. */
function Shorten({
  asks,
  value,
  onChange,
  name,
}: {
  asks: number
  value: number
  onChange(seconds: number): void
  name: string
}) {
  const offered = durationsUpTo(asks)
  if (offered.length === 1) return null
  return (
    <div className="dec__dur">
      <span className="h-label">How long</span>
      <Segments
        label="How long"
        stretch
        value={String(value)}
        onChange={(seconds) => onChange(Number(seconds))}
        options={offered.map((seconds) => ({ value: String(seconds), label: briefDuration(seconds) }))}
      />
      <p className="xs t2">
        {name} asked for {spokenDuration(asks)}.
      </p>
    </div>
  )
}

/** `15m`, `1h`: for a row of choices. */
function briefDuration(seconds: number): string {
  if (seconds % 3600 === 0) return `${seconds / 3600} h`
  return `${Math.round(seconds / 60)} min`
}

function effect(request: AccessRequest, last: boolean, seconds: number | undefined): string {
  const { name } = request.requester
  if (!last) return `Another approval is needed after yours. ${name} sees your comment.`
  if (seconds === undefined)
    return `You are the last approval. It runs when you approve, and ${name} sees your comment.`
  const begins =
    request.startsAt === undefined ? 'when you approve' : `at ${new Date(request.startsAt).toLocaleString('en-GB')}`
  return `You are the last approval. The ${spokenDuration(seconds)} start ${begins}, and ${name} sees your comment.`
}
