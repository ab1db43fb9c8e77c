import { useMutation } from '@tanstack/react-query'
import { type ReactNode, useId, useState } from 'react'
import type { AccessRequest } from '../../shared/api/models.ts'
import { usePause, useRpc } from '../rpc/context.tsx'
import { problemOf } from '../rpc/problem.ts'
import { Button } from '../theme/controls.tsx'
import { reasonProblem } from './reason.ts'

/** A reason and the button that sends it. */
function ReasonLine({
  label,
  hint,
  button,
  danger,
  patterns,
  send,
  extra,
}: {
  label: string
  hint: ReactNode
  button: string
  danger?: boolean
  patterns: readonly string[]
  send(reason: string): Promise<unknown>
  extra?: ReactNode
}) {
  const off = usePause() !== undefined
  const id = useId()
  const [reason, setReason] = useState('')
  const [tried, setTried] = useState(false)
  const wrong = reasonProblem(reason, patterns)
  const sent = useMutation({ mutationFn: send })
  const submit = () => {
    setTried(true)
    if (wrong === undefined && !off && !sent.isPending) sent.mutate(reason.trim())
  }
  const problem = tried ? (wrong ?? (sent.error ? problemOf(sent.error).message : undefined)) : undefined
  return (
    <form
      className="why"
      onSubmit={(event) => {
        event.preventDefault()
        submit()
      }}
    >
      <label className="h-label" htmlFor={id}>
        {label}
      </label>
      <div className={extra === undefined ? 'row why__l' : 'row why__l why__l--more'}>
        <span className={problem !== undefined ? 'input grow is-error' : 'input grow'}>
          <input
            id={id}
            value={reason}
            maxLength={2000}
            aria-invalid={problem !== undefined}
            onChange={(event) => setReason(event.target.value)}
          />
        </span>
        <Button type="submit" kind={danger ? 'danger' : 'default'} disabled={off || sent.isPending} onClick={submit}>
          {button}
        </Button>
        {extra}
      </div>
      {problem !== undefined ? (
        <p className="err" role="alert">
          {problem}
        </p>
      ) : (
        <p className="xs t2">{hint}</p>
      )}
    </form>
  )
}

/** A held statement whose rule wants a reason: nobody can approve it before. */
export function SayWhy({ request }: { request: AccessRequest }) {
  const { client } = useRpc()
  const { id, approval } = request
  const patterns = approval.reasonPattern === undefined ? [] : [approval.reasonPattern]
  return (
    <ReasonLine
      label="Why do you need it?"
      hint={
        <>
          <span className="policy">{request.policy.id}</span> wants a reason before anybody can approve
          {approval.reasonPattern !== undefined && (
            <>
              , with <code className="mono">{approval.reasonPattern}</code> in it
            </>
          )}
          .
        </>
      }
      button="Send reason"
      patterns={patterns}
      send={(reason) => client.gateway.requests.explain({ id, reason })}
    />
  )
}

/** Going on without an approval: a step of its own, with a reason, that everybody concerned is told of. */
export function BreakGlass({ request, small }: { request: AccessRequest; small?: boolean }) {
  const { client } = useRpc()
  const off = usePause() !== undefined
  const [open, setOpen] = useState(false)
  const { id, approval } = request
  if (!open) {
    return (
      <Button size={small ? 'sm' : 'md'} kind="danger" icon="alert" disabled={off} onClick={() => setOpen(true)}>
        Break glass…
      </Button>
    )
  }
  return (
    <ReasonLine
      label="Break glass: why can it not wait?"
      hint={`It goes on at once. ${approval.group} and who watches are told now, and somebody else reviews it afterwards.`}
      button="Go on without approval"
      danger
      patterns={approval.reasonPattern === undefined ? [] : [approval.reasonPattern]}
      send={(reason) => client.gateway.requests.breakGlass({ id, reason })}
      extra={
        <Button kind="ghost" onClick={() => setOpen(false)}>
          Back
        </Button>
      }
    />
  )
}
