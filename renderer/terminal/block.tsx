import { useQuery } from '@tanstack/react-query'
import type { KeyboardEvent } from 'react'
import type { Annotation } from '../../shared/annotation.ts'
import type { AccessRequest } from '../../shared/api/models.ts'
import { useKeys } from '../actions/use-actions.ts'
import { Avatar, Pips, Policy } from '../decisions/chip.tsx'
import { Icon } from '../decisions/icon.tsx'
import { clock, timeOfDay, useNow } from '../decisions/time.ts'
import { approvals, looks } from '../decisions/words.ts'
import { useNavigation } from '../frame/desk.tsx'
import { Asked } from '../requests/asked.tsx'
import { Remind } from '../requests/remind.tsx'
import { useRpc } from '../rpc/context.tsx'
import { plainMessage } from '../sql/zones.tsx'
import { Button } from '../theme/controls.tsx'
import { line, lookOf, policyOf, rowsOf } from './blocks.ts'
import type { Said } from './runtime.ts'

interface BlockProps {
  said: Said
  connection?: string
  onCancel?: (() => void) | undefined
  /** Puts a command at the prompt again; it is sent when the person presses Enter. */
  onAgain?: ((command: string) => void) | undefined
  /** Back to the prompt. */
  onLeave?: (() => void) | undefined
}

/** A decision between the lines of a terminal: one row, or a block of five. */
export function Block({ said, connection, onCancel, onAgain, onLeave }: BlockProps) {
  const { annotation, at } = said
  const leave = (event: KeyboardEvent) => {
    if (event.key === 'Escape') onLeave?.()
  }
  if (annotation.kind === 'blocked')
    return <Blocked annotation={annotation} at={at} connection={connection} onKeyDown={leave} />
  if (annotation.kind === 'held')
    return <Held annotation={annotation} at={at} onCancel={onCancel} onAgain={onAgain} onKeyDown={leave} />
  if (rowsOf(annotation) === 0) return null
  const look = looks[lookOf(annotation)]
  const policy = policyOf(annotation)
  return (
    <div className={`tr__h edge d-${look.tone}`}>
      <b className="fg m">{look.word}</b>
      <span className="trunc">{line(annotation)}</span>
      {policy && <Policy policy={policy} />}
    </div>
  )
}

function Blocked({
  annotation,
  at,
  connection,
  onKeyDown,
}: {
  annotation: Extract<Annotation, { kind: 'blocked' }>
  at: string
  connection: string | undefined
  onKeyDown(event: KeyboardEvent): void
}) {
  const go = useNavigation()
  const keys = useKeys('decision.resolve')
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for forms
    <div
      className="tzone edge d-blocked"
      role="group"
      aria-label={`Blocked by ${annotation.policy.id}`}
      tabIndex={-1}
      onKeyDown={onKeyDown}
    >
      <div className="zone__hd">
        <span className="fg">
          <Icon name="shield-x" />
        </span>
        <span className="zone__word">Blocked</span>
        <span className="t3">by</span>
        <Policy policy={annotation.policy} />
        <span className="zone__end">
          <span>Nothing ran</span>
          <span className="num t3">{timeOfDay(at)}</span>
        </span>
      </div>
      <p className="trunc" title={`${annotation.message} ${annotation.hint}`}>
        {plainMessage(annotation.message)} <span className="t2">{annotation.hint}</span>
      </p>
      {annotation.requestable && (
        <div className="zone__acts">
          <Button size="sm" keys={keys} onClick={() => go.compose(connection === undefined ? {} : { connection })}>
            Request access…
          </Button>
        </div>
      )}
    </div>
  )
}

function Held({
  annotation,
  at,
  onCancel,
  onAgain,
  onKeyDown,
}: {
  annotation: Extract<Annotation, { kind: 'held' }>
  at: string
  onCancel: BlockProps['onCancel']
  onAgain: BlockProps['onAgain']
  onKeyDown(event: KeyboardEvent): void
}) {
  const { queries } = useRpc()
  const go = useNavigation()
  const now = useNow()
  const { approval, requestId } = annotation
  const request = useQuery(queries.gateway.requests.get.queryOptions({ input: { id: requestId } })).data
  const state = request?.state ?? 'pending'
  const pending = state === 'pending'
  const had = request === undefined ? 0 : approvals(request)
  const went = request?.afterReview === undefined ? looks.approved : looks.brokeGlass
  const look = pending ? looks.held : state === 'approved' ? went : looks[state]
  const last = request?.reviews.at(-1)
  const by = (request?.reviews ?? []).map((review) => review.by).join(' and ')
  const { command } = annotation
  const again = state === 'denied' || state === 'expired' || state === 'cancelled'
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for forms
    <div
      className={`tzone edge d-${look.tone}`}
      role="group"
      aria-label={`${look.word} by ${annotation.policy.id}`}
      tabIndex={-1}
      onKeyDown={onKeyDown}
    >
      <div className="zone__hd">
        <span className="fg">
          <Icon name={look.icon} />
        </span>
        <span className="zone__word">{look.word}</span>
        {pending ? (
          <>
            <span className="t2">awaiting approval</span>
            <Pips had={had} needed={approval.count} />
          </>
        ) : (
          <span className="t2">{by === '' ? '' : `by ${by}`}</span>
        )}
        <span className="t3">·</span>
        <Policy policy={annotation.policy} />
        <span className="zone__end">
          {pending ? (
            <>
              <span className="num zone__since">{clock(now - Date.parse(at))} waiting</span>
              <span className="sep">·</span>
              <span className="num">expires in {clock(Date.parse(annotation.expiresAt) - now)}</span>
            </>
          ) : (
            request?.decidedAt && <span className="num t3">{timeOfDay(request.decidedAt)}</span>
          )}
        </span>
      </div>
      <p className="trunc">{heldWords(state, state === 'denied' ? last?.reason : undefined)}</p>
      <div className="zone__acts">
        {pending && onCancel && (
          <Button size="sm" keys="⌃C" onClick={onCancel}>
            Cancel
          </Button>
        )}
        {pending && (request?.reasonMissing || request?.canBreakGlass) && (
          <Button size="sm" onClick={() => go.request(requestId, 'mine')}>
            {request.reasonMissing ? 'Say why…' : 'Break glass…'}
          </Button>
        )}
        {pending && request !== undefined && <Remind request={request} />}
        {again && command !== undefined && onAgain && (
          <Button size="sm" onClick={() => onAgain(command)}>
            Ask again
          </Button>
        )}
        {pending && (
          <span className="right row sm trunc">
            {(request?.reviews ?? []).map((review) => (
              <Avatar key={review.by} name={review.by} approved={review.verdict === 'approve'} />
            ))}
            <Asked groups={request?.progress?.groups ?? [approval.group]} waiting={had < approval.count} />
          </span>
        )}
      </div>
    </div>
  )
}

/** What became of a held command, in a line. `reason` is the reviewer's. */
export function heldWords(state: AccessRequest['state'], reason?: string): string {
  switch (state) {
    case 'pending':
      return 'Nothing has run. The command starts when it is approved; this prompt waits for it.'
    case 'approved':
      return 'It runs one time, exactly as it was typed.'
    case 'denied':
      return reason === undefined || reason === '' ? 'Nothing ran.' : `“${reason}” Nothing ran.`
    case 'expired':
      return 'Nobody decided before it expired. Nothing ran.'
    case 'cancelled':
    case 'revoked':
      return 'Nothing ran.'
    default:
      return state satisfies never
  }
}
