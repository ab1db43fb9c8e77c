import { useMutation, useQuery } from '@tanstack/react-query'
import { type ReactNode, useId } from 'react'
import type { AccessRequest } from '../../shared/api/models.ts'
import type { Grant } from '../../shared/decision.ts'
import { EnvTag } from '../decisions/environment.tsx'
import { Icon } from '../decisions/icon.tsx'
import { SqlText } from '../decisions/sql-text.tsx'
import { clock, useNow, when } from '../decisions/time.ts'
import { approvals, capitalise, type Look, looks, requestLook, requestTitle } from '../decisions/words.ts'
import { useDesk, useNavigation } from '../frame/desk.tsx'
import { grantWords, onward } from '../frame/grants.ts'
import { usePause, useRpc } from '../rpc/context.tsx'
import { problemOf } from '../rpc/problem.ts'
import { Button, IconButton } from '../theme/controls.tsx'
import { fitsToast } from './fits.ts'

function Toast({
  id,
  look,
  title,
  at,
  children,
}: {
  id: string
  look: Look
  title: ReactNode
  at?: string
  children: ReactNode
}) {
  const { notices } = useDesk()
  const name = useId()
  return (
    // biome-ignore lint/a11y/useSemanticElements: a toast is no form
    <div className={`toast edge d-${look.tone}`} role="group" aria-labelledby={name}>
      <div className="row">
        <span className="fg">
          <Icon name={look.icon} />
        </span>
        <b className="grow" id={name}>
          {title}
        </b>
        {at && <span className="xs t3 num">{at}</span>}
        <IconButton icon="x" label="Dismiss" size={12} onClick={() => notices.hide(id)} />
      </div>
      {children}
    </div>
  )
}

/** Somebody asks. Approve is offered only where all that would run is on the screen. */
export function HeldToast({ id, initial }: { id: string; initial: AccessRequest }) {
  const { client, queries } = useRpc()
  const { notices } = useDesk()
  const go = useNavigation()
  const pause = usePause()
  const now = useNow()
  const query = useQuery(queries.gateway.requests.get.queryOptions({ input: { id }, initialData: initial }))
  const request = query.data
  const approve = useMutation({
    mutationFn: () => client.gateway.requests.approve({ id }),
    onSuccess: () => notices.hide(id),
  })
  const open = () => {
    notices.hide(id)
    go.request(id, 'review')
  }
  const last = approvals(request) + 1 === request.approval.count
  const fits = fitsToast(request)
  const off = pause !== undefined || request.state !== 'pending'
  return (
    <Toast
      id={id}
      look={looks.held}
      title={`${request.requester.name} asks ${request.remindedAt === undefined ? '' : 'again '}for approval`}
      at={when(request.remindedAt ?? request.createdAt)}
    >
      <p className="row toast__l">
        <EnvTag environment={request.connection.environment} />
        <span className="nowrap">{request.connection.name}</span>
        {!fits && (
          <>
            <span className="t3">·</span>
            <span className="trunc">{requestTitle(request)}</span>
          </>
        )}
      </p>
      {fits && (
        <div className="well toast__q">
          <SqlText text={request.text ?? ''} />
        </div>
      )}
      {approve.error && <p className="err">{problemOf(approve.error).message}</p>}
      <div className="row toast__a">
        {fits && (
          <Button size="sm" kind="primary" disabled={off || approve.isPending} onClick={() => approve.mutate()}>
            {last ? 'Approve and run' : 'Approve'}
          </Button>
        )}
        {fits && (
          <Button size="sm" kind="danger" disabled={off} onClick={open}>
            Deny…
          </Button>
        )}
        <Button size="sm" kind={fits ? 'ghost' : 'primary'} onClick={open}>
          Open
        </Button>
        <span className="right xs t2 num nowrap">
          {pause === undefined
            ? `${last ? `last of ${request.approval.count} · ` : ''}${clock(Date.parse(request.expiresAt) - now)}`
            : 'no gateway'}
        </span>
      </div>
    </Toast>
  )
}

/** Somebody went on without an approval. Nothing is decided from here: it takes a look at what was done. */
export function BrokenToast({ request, onOpen }: { request: AccessRequest; onOpen(): void }) {
  return (
    <Toast
      id={request.id}
      look={{ ...looks.blocked, icon: 'alert' }}
      title={`${request.requester.name} went on without an approval`}
      {...(request.decidedAt ? { at: when(request.decidedAt) } : {})}
    >
      <p className="row toast__l">
        <EnvTag environment={request.connection.environment} />
        <span className="nowrap">{request.connection.name}</span>
        <span className="t3">·</span>
        <span className="trunc">{requestTitle(request)}</span>
      </p>
      <div className="row toast__a">
        <Button size="sm" kind="primary" onClick={onOpen}>
          Review
        </Button>
      </div>
    </Toast>
  )
}

/** What became of a request of one's own. */
export function DecidedToast({ request, onOpen }: { request: AccessRequest; onOpen(): void }) {
  const { afterReview } = request
  const by = request.reviews.map((review) => review.name ?? review.by).join(' and ')
  const last = request.reviews.at(-1)
  const { state } = request
  const pending = state === 'pending'
  const approved = state === 'approved' || pending
  // What was decided, also of a grant that is over by now.
  const look = requestLook(request, 0)
  return (
    <Toast
      id={request.id}
      look={look}
      title={`${look.word}: ${requestTitle(request)}`}
      {...(request.decidedAt ? { at: when(request.decidedAt) } : {})}
    >
      <p className="t2 sm">
        On {request.connection.name}
        {afterReview !== undefined && `, ${afterWords(afterReview)}`}
        {by && `, ${approved ? 'approved' : 'decided'} by ${by}`}
        {pending && `, ${approvals(request)} of ${request.approval.count}`}.{' '}
        {!approved && last?.reason ? `“${last.reason}” ` : ''}
        <button type="button" className="linkish" onClick={onOpen}>
          Open
        </button>
      </p>
    </Toast>
  )
}

function afterWords({ state, by, reason }: NonNullable<AccessRequest['afterReview']>): string {
  if (state === 'open') return 'without an approval: somebody else has to review it'
  return `${state} afterwards${by === undefined ? '' : ` by ${by}`}${reason ? `: “${reason}”` : ''}`
}

/** A grant is about to end. */
export function EndingToast({ grant }: { grant: Grant }) {
  const id = `grant-${grant.id}`
  const { client } = useRpc()
  const { notices } = useDesk()
  const go = useNavigation()
  const now = useNow()
  const left = Date.parse(grant.endsAt) - now
  const { label, draft } = onward(grant, now)
  const end = useMutation({
    mutationFn: () => client.gateway.grants.giveBack({ id: grant.id }),
    onSuccess: () => notices.hide(id),
  })
  const what = `${capitalise(grantWords(grant))} on ${grant.connection}`
  return (
    <Toast
      id={id}
      look={left > 0 ? looks.granted : looks.ended}
      title={left > 0 ? `${what} ends in ${clock(left)}` : `${what} ended`}
    >
      {end.error && <p className="err">{problemOf(end.error).message}</p>}
      <div className="row toast__a">
        <Button
          size="sm"
          onClick={() => {
            notices.hide(id)
            go.compose(draft)
          }}
        >
          {label}
        </Button>
        {left > 0 && (
          <Button size="sm" kind="ghost" onClick={() => end.mutate()}>
            Give back now
          </Button>
        )}
      </div>
    </Toast>
  )
}
