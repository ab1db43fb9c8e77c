import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import type { AccessRequest, AfterReview as State } from '../../shared/api/models.ts'
import { Icon } from '../decisions/icon.tsx'
import { when } from '../decisions/time.ts'
import { usePause, useRpc } from '../rpc/context.tsx'
import { problemOf } from '../rpc/problem.ts'
import { Button } from '../theme/controls.tsx'
import { leastReason } from './reason.ts'

/** Access that somebody took without waiting: what others say of it afterwards. */
export function AfterReview({ request, state }: { request: AccessRequest; state: State }) {
  return (
    <div>
      <h2 className="h-label row row--6">
        <span className="fg d-blocked">
          <Icon name="alert" size={14} />
        </span>
        Break-glass
      </h2>
      <p className="sm t2 dec__p">
        {request.requester.name} went on without an approval{request.decidedAt && ` at ${when(request.decidedAt)}`}.{' '}
        {said(state)}
      </p>
      {state.reason && <p className="quote">{state.reason}</p>}
      {state.state === 'open' && state.canReview && <Form id={request.id} />}
    </div>
  )
}

function said(state: State): string {
  const by = state.by === undefined ? '' : ` by ${state.by}`
  switch (state.state) {
    case 'open':
      return 'Somebody else has to review it.'
    case 'accepted':
      return `Accepted afterwards${by}.`
    case 'disputed':
      return `Disputed afterwards${by}.`
    default:
      return state.state satisfies never
  }
}

function Form({ id }: { id: string }) {
  const { client } = useRpc()
  const off = usePause() !== undefined
  const [reason, setReason] = useState('')
  const [tried, setTried] = useState(false)
  const send = useMutation({
    mutationFn: (verdict: 'accepted' | 'disputed') =>
      client.gateway.requests.afterReview({ id, verdict, reason: reason.trim() }),
  })
  const short = reason.trim().length < leastReason
  const decide = (verdict: 'accepted' | 'disputed') => {
    setTried(true)
    if (!short && !off && !send.isPending) send.mutate(verdict)
  }
  return (
    <div className="dec__fm">
      <label className="h-label" htmlFor="after-comment">
        Your word on it
      </label>
      <div className={tried && short ? 'input input--area is-error' : 'input input--area'}>
        <textarea
          id="after-comment"
          value={reason}
          maxLength={2000}
          aria-invalid={tried && short}
          onChange={(event) => setReason(event.target.value)}
        />
      </div>
      {tried && short && (
        <p className="err dec__p" role="alert">
          Say what you found.
        </p>
      )}
      {send.error && (
        <p className="err dec__p" role="alert">
          {problemOf(send.error).message}
        </p>
      )}
      <div className="row dec__b">
        <Button icon="check" disabled={off || send.isPending} onClick={() => decide('accepted')}>
          Accept
        </Button>
        <Button kind="danger" icon="flag" disabled={off || send.isPending} onClick={() => decide('disputed')}>
          Dispute
        </Button>
      </div>
    </div>
  )
}
