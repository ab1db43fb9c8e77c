import { useMutation } from '@tanstack/react-query'
import { useRef, useState } from 'react'
import type { AccessRequest, DecideOutcome } from '../../shared/api/models.ts'
import { useActions, useKeys } from '../actions/use-actions.ts'
import { Chip } from '../decisions/chip.tsx'
import { EnvTag } from '../decisions/environment.tsx'
import { Icon } from '../decisions/icon.tsx'
import { useNow } from '../decisions/time.ts'
import { actionWords, counted, requestLook, spokenDuration } from '../decisions/words.ts'
import { useNavigation } from '../frame/desk.tsx'
import { usePause, useRpc } from '../rpc/context.tsx'
import { ProblemNote } from '../sign-in/step-up.tsx'
import { Button } from '../theme/controls.tsx'
import { StatementText } from './statement.tsx'

/** Several requests, each in full, and one decision for all of them. */
export function BulkReview({ requests }: { requests: readonly AccessRequest[] }) {
  const { client } = useRpc()
  const go = useNavigation()
  const off = usePause() !== undefined
  const [comment, setComment] = useState('')
  const [asked, setAsked] = useState(false)
  const field = useRef<HTMLTextAreaElement>(null)
  const reason = comment.trim()
  const open = requests.filter((request) => request.state === 'pending' && request.canReview)
  const decide = useMutation({
    mutationFn: (verdict: 'approve' | 'deny') =>
      client.gateway.requests.decide({ ids: open.map((request) => request.id), verdict, reason }),
  })
  const busy = off || decide.isPending || open.length === 0
  const approve = () => {
    if (!busy) decide.mutate('approve')
  }
  const deny = () => {
    if (busy) return
    if (reason === '') {
      setAsked(true)
      field.current?.focus()
    } else decide.mutate('deny')
  }
  useActions({
    'review.approve': approve,
    'review.deny': () => {
      if (comment === '' || document.activeElement !== field.current) deny()
    },
  })
  const approveKeys = useKeys('review.approve')
  const denyKeys = useKeys('review.deny')
  const failed = (decide.data ?? []).filter((outcome) => !outcome.ok)
  return (
    <>
      <section className="rd grow" aria-label={`${requests.length} requests together`}>
        <header className="rd__hd">
          <div className="row row--10">
            <h1>{counted(requests.length, 'request')} together</h1>
            <span className="right">
              <Button size="sm" kind="ghost" onClick={() => go.requests('review')}>
                Clear
              </Button>
            </span>
          </div>
          <p className="t2">Each is decided by itself, in full as shown. What cannot be decided says why.</p>
        </header>
        <ol className="rd__bd scroll bulk">
          {requests.map((request) => (
            <Item
              key={request.id}
              request={request}
              outcome={decide.data?.find((outcome) => outcome.id === request.id)}
            />
          ))}
        </ol>
      </section>
      <aside className="dec scroll" aria-label="Decision">
        <div className="dec__fm">
          <label className="h-label" htmlFor="bulk-comment">
            Comment <span className="t3 dec__req">required to deny</span>
          </label>
          <div className={asked && reason === '' ? 'input input--area is-error' : 'input input--area'}>
            <textarea
              id="bulk-comment"
              ref={field}
              value={comment}
              maxLength={2000}
              aria-invalid={asked && reason === ''}
              onChange={(event) => setComment(event.target.value)}
            />
          </div>
          {asked && reason === '' && (
            <p className="err dec__p" role="alert">
              Say why: everybody who asked sees your comment.
            </p>
          )}
          {decide.error && (
            <ProblemNote error={decide.error} className="err dec__p" retry={() => decide.mutate(decide.variables)} />
          )}
          <div className="row dec__b">
            <Button kind="primary" icon="check" className="grow" keys={approveKeys} disabled={busy} onClick={approve}>
              Approve {open.length}
            </Button>
            <Button kind="danger" icon="x" keys={denyKeys} disabled={busy} onClick={deny}>
              Deny
            </Button>
          </div>
          <p className="xs t2 dec__p" role="status">
            {decide.isError
              ? 'Whether any of them was decided is not known; each shows its state above.'
              : outcomeWords(decide.data, failed.length, open.length)}
          </p>
        </div>
      </aside>
    </>
  )
}

function outcomeWords(done: readonly DecideOutcome[] | undefined, failed: number, open: number): string {
  if (done === undefined) {
    return open === 0 ? 'None of them waits for you any more.' : 'Each requester sees your comment.'
  }
  const ok = done.length - failed
  return failed === 0 ? `${counted(ok, 'request')} decided.` : `${ok} decided, ${failed} not.`
}

function Item({ request, outcome }: { request: AccessRequest; outcome: DecideOutcome | undefined }) {
  const go = useNavigation()
  const { detail, ...look } = requestLook(request, useNow(15_000))
  return (
    <li className="blk">
      <div className="blk__h">
        <b>{request.requester.name}</b>
        <EnvTag environment={request.connection.environment} />
        <span>{request.connection.name}</span>
        <Chip look={look}>{detail}</Chip>
        <span className="right row row--6">
          <button type="button" className="linkish sm" onClick={() => go.request(request.id, 'review')}>
            Open
          </button>
          <button type="button" className="linkish sm" onClick={() => go.pick(request.id)}>
            Leave out
          </button>
        </span>
      </div>
      {request.reason !== '' && <p className="t2 bulk__r">“{request.reason}”</p>}
      {request.kind === 'once' ? (
        <StatementText request={request} />
      ) : (
        <p>
          {actionWords(request.actions, request.dataClasses)} for{' '}
          {spokenDuration(request.durationSeconds ?? request.approval.windowSeconds)}
        </p>
      )}
      {outcome?.ok === false && (
        <p className="err row row--6" role="alert">
          <Icon name="circle-x" size={14} />
          {outcome.message}
        </p>
      )}
    </li>
  )
}
