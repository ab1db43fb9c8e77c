import { useMutation, useQuery } from '@tanstack/react-query'
import { type KeyboardEvent, type ReactNode, useState } from 'react'
import type { PolicyRef } from '../../shared/decision.ts'
import { useKeys } from '../actions/use-actions.ts'
import { Avatar, Pips, Policy } from '../decisions/chip.tsx'
import { copyText } from '../decisions/copy.ts'
import { Icon } from '../decisions/icon.tsx'
import { SqlText } from '../decisions/sql-text.tsx'
import { clock, hourMinute, timeOfDay, useNow } from '../decisions/time.ts'
import { approvals, type Look, looks, sentence } from '../decisions/words.ts'
import { type RequestDraft, useNavigation } from '../frame/desk.tsx'
import { useMyGrants } from '../frame/grants.ts'
import { Asked } from '../requests/asked.tsx'
import { Remind } from '../requests/remind.tsx'
import { BreakGlass, SayWhy } from '../requests/say-why.tsx'
import { usePause, useRpc } from '../rpc/context.tsx'
import { problemLine, problemOf } from '../rpc/problem.ts'
import { useStepUp } from '../sign-in/step-up.tsx'
import { Button } from '../theme/controls.tsx'
import { FixButton } from './fix-button.tsx'
import type { Fix } from './fixes.ts'
import type { Blocked, Held, Mark } from './run-state.ts'
import { unknownIn } from './unknown.ts'

export interface ZoneActions {
  /** There is something in the session that would be lost with it. */
  uncommitted: boolean
  /** The next run has a session of its own. */
  renew(): Promise<void>
  connection: string
  cancel(): void
  rerun(mark: Mark): void
  dismiss(mark: Mark): void
  /** Back to the line. */
  leave(mark: Mark): void
  /** What would help a statement that was refused, or failed. */
  fixOf(mark: Mark): Fix | undefined
  fix(mark: Mark, fix: Fix): void
}

/** The gateway speaking, directly under the statement it is about. */
export function DecisionZone({
  mark,
  rewritten,
  actions,
}: {
  mark: Mark
  /** Above it stands another text by now: the block says what it is about. */
  rewritten: boolean
  actions: ZoneActions
}) {
  const leave = (event: KeyboardEvent) => {
    if (event.key === 'Escape') actions.leave(mark)
  }
  if (mark.look === 'blocked') return <BlockedZone mark={mark} actions={actions} onKeyDown={leave} />
  if (mark.held === undefined) return null
  if (mark.look === 'held')
    return <HeldZone mark={mark} rewritten={rewritten} held={mark.held} actions={actions} onKeyDown={leave} />
  if (mark.look === 'running')
    return <ApprovedZone mark={mark} rewritten={rewritten} held={mark.held} onKeyDown={leave} />
  return <RefusedZone mark={mark} held={mark.held} actions={actions} onKeyDown={leave} />
}

export function Zone({
  look,
  words,
  policy,
  end,
  children,
  onKeyDown,
}: {
  look: Look
  words: ReactNode
  policy: PolicyRef
  end: ReactNode
  children: ReactNode
  onKeyDown?(event: KeyboardEvent): void
}) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for forms
    <div
      className={`zone edge d-${look.tone}`}
      role="group"
      aria-label={`${look.word} by ${policy.id}`}
      tabIndex={-1}
      onKeyDown={onKeyDown}
    >
      <div className="zone__hd">
        <span className="fg">
          <Icon name={look.icon} />
        </span>
        <span className="zone__word">{look.word}</span>
        {words}
        <Policy policy={policy} />
        <span className="zone__end">{end}</span>
      </div>
      {children}
    </div>
  )
}

interface ZoneProps {
  mark: Mark
  actions: ZoneActions
  onKeyDown(event: KeyboardEvent): void
}

/** Classes of masked data that a blocked statement may ask for. */
function askedClasses(blocked: Blocked): string[] {
  return [...new Set((blocked.columns ?? []).filter((c) => c.requestable).map((c) => c.dataClass))]
}

/** The composer, filled in with what would let a blocked statement run. */
export function requestFor({ blocked, text }: Mark, connection: string): RequestDraft {
  const classes = blocked === undefined ? [] : askedClasses(blocked)
  return classes.length > 0
    ? { connection, actions: ['unmask'], dataClasses: classes, statement: text }
    : { connection, statement: text }
}

function BlockedZone({ mark, actions, onKeyDown }: ZoneProps) {
  const go = useNavigation()
  const keys = useKeys('decision.resolve')
  const off = usePause() !== undefined
  const grants = useMyGrants(useNow(5_000))
  const step = useStepUp()
  // Of the moment in which it was refused: a button does not become another one while a person reaches for it.
  const [fix] = useState(() => actions.fixOf(mark))
  const { blocked } = mark
  if (blocked === undefined) return null
  // Asked for from here, and given since: the statement can go on.
  const granted = blocked.requestable
    ? grants.find((grant) => grant.connection === actions.connection && Date.parse(grant.startsAt) >= mark.startedAt)
    : undefined
  const classes = askedClasses(blocked)
  const { uncommitted } = actions
  const confirm = () =>
    step.mutate({
      lack: {},
      why: `${blocked.policy.id}: ${blocked.policy.reason}`,
      after: async () => {
        await actions.renew()
        actions.rerun(mark)
      },
    })
  return (
    <Zone
      look={looks.blocked}
      words={<span className="t3">by</span>}
      policy={blocked.policy}
      end={
        <>
          <span>Nothing ran</span>
          <span className="num t3">{timeOfDay(mark.startedAt)}</span>
        </>
      }
      onKeyDown={onKeyDown}
    >
      <Why mark={mark} blocked={blocked} />
      {granted !== undefined && (
        <p className="row row--6 d-granted">
          <span className="fg">
            <Icon name="key" size={14} />
          </span>
          Granted since{granted.approvedBy.length > 0 && ` by ${granted.approvedBy.join(' and ')}`}, until{' '}
          {hourMinute(granted.endsAt)}.
        </p>
      )}
      {step.error && (
        <p className="err" role="alert">
          {problemLine(problemOf(step.error))}
        </p>
      )}
      <div className="zone__acts">
        {blocked.stepUp && (
          <Button
            size="sm"
            kind="primary"
            icon="fingerprint"
            disabled={off || step.isPending || uncommitted}
            title={uncommitted ? 'Commit or roll back first: it runs in a new session.' : undefined}
            keys={keys}
            onClick={confirm}
          >
            Confirm and run
          </Button>
        )}
        {fix !== undefined && <FixButton fix={fix} onClick={() => actions.fix(mark, fix)} />}
        {granted !== undefined && (
          <Button size="sm" kind="primary" icon="play" disabled={off} onClick={() => actions.rerun(mark)}>
            Run again
          </Button>
        )}
        {blocked.requestable && granted === undefined && (
          <Button
            size="sm"
            kind={fix === undefined ? 'default' : 'ghost'}
            disabled={off}
            keys={fix === undefined ? keys : undefined}
            onClick={() => go.compose(requestFor(mark, actions.connection))}
          >
            {classes.length > 0 ? 'Request to unmask…' : 'Request access…'}
          </Button>
        )}
        <Button size="sm" kind="ghost" onClick={() => actions.dismiss(mark)}>
          Dismiss
        </Button>
      </div>
    </Zone>
  )
}

/** Where only a name is wrong, that comes first: the policy that follows from it is not what the person has to change. */
function Why({ mark, blocked }: { mark: Mark; blocked: Blocked }) {
  const unknown = unknownIn(mark.text, blocked.message)
  const what = unknown?.sentence ?? plainMessage(blocked.message)
  const more = unknown === undefined ? blocked.hint : unknown.before || 'Check how it is written.'
  return (
    <p className="zone__p">
      {what} {more !== '' && <span className="t2">{more}</span>}
    </p>
  )
}

function HeldZone({
  mark,
  rewritten,
  held,
  actions,
  onKeyDown,
}: ZoneProps & { rewritten: boolean; held: Held & { since: number } }) {
  const { client, queries } = useRpc()
  const cancelKeys = useKeys('sql.cancel')
  const off = usePause() !== undefined
  const now = useNow()
  const { requestId, approval } = held
  const query = useQuery(queries.gateway.requests.get.queryOptions({ input: { id: requestId }, enabled: !off }))
  const request = query.data
  const cancel = useMutation({
    // The cancel ends the waiting statement; taking the request back tells the reviewers at once.
    mutationFn: async () => {
      actions.cancel()
      await client.gateway.requests.cancel({ id: requestId })
    },
  })
  const had = request === undefined ? 0 : approvals(request)
  const copy = () => copyText(`sallyport://request/${requestId}`)
  return (
    <Zone
      look={looks.held}
      words={
        <>
          <span className="t2">awaiting approval</span>
          <Pips had={had} needed={approval.count} />
          <span className="t3">·</span>
        </>
      }
      policy={held.policy}
      end={
        <>
          <span className="num zone__since">{clock(now - held.since)} waiting</span>
          <span className="sep">·</span>
          <span className="num">expires in {clock(Date.parse(held.expiresAt) - now)}</span>
        </>
      }
      onKeyDown={onKeyDown}
    >
      <p className="zone__p">
        {sentence(held.policy.reason)} Nothing has run. Once approved it runs one time, exactly as{' '}
        {rewritten ? 'it was written when you ran it:' : 'written here.'}
      </p>
      {rewritten && <Ran text={mark.text} />}
      <div className="kvline">
        {(request?.reviews ?? []).map((review) => (
          <span className="row" key={review.by}>
            <Avatar name={review.by} approved={review.verdict === 'approve'} />
            <span>{review.by}</span>
            <span className="t2">
              {review.verdict === 'approve' ? 'approved' : 'denied'} {hourMinute(review.at)}
            </span>
          </span>
        ))}
        <Asked groups={request?.progress?.groups ?? [approval.group]} waiting={had < approval.count} />
      </div>
      {request?.reasonMissing && <SayWhy request={request} />}
      {cancel.error && <p className="err">{problemOf(cancel.error).message}</p>}
      <div className="zone__acts">
        <Button size="sm" keys={cancelKeys} disabled={off || cancel.isPending} onClick={() => cancel.mutate()}>
          Cancel request
        </Button>
        {request !== undefined && (
          <Remind request={request} who={(request.progress?.groups ?? [approval.group]).join(' and ')} />
        )}
        <Button size="sm" kind="ghost" onClick={copy}>
          Copy link
        </Button>
        {request?.canBreakGlass && <BreakGlass request={request} small />}
      </div>
    </Zone>
  )
}

/** Approved, and running now. */
function ApprovedZone({
  mark,
  rewritten,
  held,
  onKeyDown,
}: Pick<ZoneProps, 'mark' | 'onKeyDown'> & { rewritten: boolean; held: Held }) {
  return (
    <Zone
      look={looks.approved}
      words={<span className="t2">by {mark.decision?.by.join(' and ')}, running now ·</span>}
      policy={held.policy}
      end={mark.decision && <span className="num t3">{timeOfDay(mark.decision.at)}</span>}
      onKeyDown={onKeyDown}
    >
      <p className="zone__p">
        It runs one time, exactly as {rewritten ? 'it was written when you ran it:' : 'written here.'}
      </p>
      {rewritten && <Ran text={mark.text} />}
    </Zone>
  )
}

/** The statement that was sent. */
function Ran({ text }: { text: string }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys
    <section className="well zone__ran" tabIndex={0} aria-label="The statement that was sent">
      <SqlText text={text} />
    </section>
  )
}

/** Denied, or expired unanswered. */
function RefusedZone({ mark, held, actions, onKeyDown }: ZoneProps & { held: Held }) {
  const off = usePause() !== undefined
  const denied = mark.look === 'denied'
  return (
    <Zone
      look={denied ? looks.denied : looks.expired}
      words={<span className="t2">{denied ? `by ${mark.decision?.by.join(', ')} ·` : 'unanswered ·'}</span>}
      policy={held.policy}
      end={
        <>
          <span>Nothing ran</span>
          {mark.decision && <span className="num t3">{timeOfDay(mark.decision.at)}</span>}
        </>
      }
      onKeyDown={onKeyDown}
    >
      <p className="zone__p">
        {denied ? `“${mark.decision?.reason ?? ''}”` : 'Nobody decided before the request expired.'}
      </p>
      <div className="zone__acts">
        <Button size="sm" disabled={off} onClick={() => actions.rerun(mark)}>
          Ask again
        </Button>
        <Button size="sm" kind="ghost" onClick={() => actions.dismiss(mark)}>
          Dismiss
        </Button>
      </div>
    </Zone>
  )
}

/** The message without what the block's head says already: that nothing ran. */
export function plainMessage(message: string): string {
  return message.replace(/ ?Nothing ran\.$/, '').trim()
}
