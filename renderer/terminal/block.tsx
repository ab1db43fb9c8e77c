import { useQuery } from '@tanstack/react-query'
import type { Annotation } from '../../shared/annotation.ts'
import type { AccessRequest } from '../../shared/api/models.ts'
import { Avatar, Pips, Policy } from '../decisions/chip.tsx'
import { Icon } from '../decisions/icon.tsx'
import { clock, timeOfDay, useNow } from '../decisions/time.ts'
import { approvals, looks } from '../decisions/words.ts'
import { useNavigation } from '../frame/desk.tsx'
import { useRpc } from '../rpc/context.tsx'
import { plainMessage } from '../sql/zones.tsx'
import { Button } from '../theme/controls.tsx'
import { line, lookOf, policyOf, rowsOf } from './blocks.ts'
import type { Said } from './runtime.ts'

/** A decision between the lines of a terminal: one row, or a block of five. */
export function Block({ said, onCancel }: { said: Said; onCancel?: (() => void) | undefined }) {
  const { annotation } = said
  if (annotation.kind === 'blocked') return <Blocked annotation={annotation} at={said.at} />
  if (annotation.kind === 'held') return <Held annotation={annotation} at={said.at} onCancel={onCancel} />
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

function Blocked({ annotation, at }: { annotation: Extract<Annotation, { kind: 'blocked' }>; at: string }) {
  const go = useNavigation()
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for forms
    <div className="tzone edge d-blocked" role="group" aria-label={`Blocked by ${annotation.policy.id}`}>
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
          <Button size="sm" onClick={() => go.compose()}>
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
}: {
  annotation: Extract<Annotation, { kind: 'held' }>
  at: string
  onCancel?: (() => void) | undefined
}) {
  const { queries } = useRpc()
  const now = useNow()
  const { approval, requestId } = annotation
  const request = useQuery(queries.gateway.requests.get.queryOptions({ input: { id: requestId } })).data
  const pending = request === undefined || request.state === 'pending'
  const had = request === undefined ? 0 : approvals(request)
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for forms
    <div className="tzone edge d-held" role="group" aria-label={`Held by ${annotation.policy.id}`}>
      <div className="zone__hd">
        <span className="fg">
          <Icon name="hourglass" />
        </span>
        <span className="zone__word">Held</span>
        {pending ? (
          <>
            <span className="t2">awaiting approval</span>
            <Pips had={had} needed={approval.count} />
          </>
        ) : (
          <span className="t2">{request?.state}</span>
        )}
        <span className="t3">·</span>
        <Policy policy={annotation.policy} />
        {pending && (
          <span className="zone__end">
            <span className="num">{clock(now - Date.parse(at))} waiting</span>
            <span className="sep">·</span>
            <span className="num">expires in {clock(Date.parse(annotation.expiresAt) - now)}</span>
          </span>
        )}
      </div>
      <p className="trunc">{heldWords(request?.state ?? 'pending')}</p>
      <div className="zone__acts">
        {pending && onCancel && (
          <Button size="sm" keys="⌃C" onClick={onCancel}>
            Cancel
          </Button>
        )}
        <span className="right row sm">
          {(request?.reviews ?? []).map((review) => (
            <Avatar key={review.by} name={review.by} approved={review.verdict === 'approve'} />
          ))}
          {approval.group} {pending && <span className="t2">asked to review</span>}
        </span>
      </div>
    </div>
  )
}

function heldWords(state: AccessRequest['state']): string {
  switch (state) {
    case 'pending':
      return 'Nothing has run. The command starts when it is approved; this prompt waits for it.'
    case 'approved':
      return 'It was approved, and ran one time.'
    case 'denied':
    case 'expired':
    case 'cancelled':
    case 'revoked':
      return 'Nothing ran.'
    default:
      return state satisfies never
  }
}
