import { useMutation } from '@tanstack/react-query'
import { type ReactNode, useEffect, useState } from 'react'
import { covers, isAction } from '../../shared/actions.ts'
import type { Connection } from '../../shared/api/models.ts'
import type { Decision } from '../../shared/decision.ts'
import { Icon } from '../decisions/icon.tsx'
import { capitalise, counted, type Look, looks, spokenDuration } from '../decisions/words.ts'
import { usePause, useRpc } from '../rpc/context.tsx'
import { ProblemNote } from '../sign-in/step-up.tsx'
import { Button } from '../theme/controls.tsx'
import { type ActionGroups, inGroups } from './action-groups.ts'

/** What the grant would change, decision by decision, and a statement to try it on. */
export function Preview({
  connection,
  chosen,
  classes,
  duration,
  statement,
}: {
  connection: Connection | undefined
  chosen: readonly string[]
  classes: readonly string[]
  duration: number
  statement?: string | undefined
}) {
  return (
    <aside className="prev" aria-label="What this will allow">
      <div className="prev__hd">
        <h2>What this will allow</h2>
      </div>
      {connection === undefined ? (
        <p className="prev__lead">Choose a connection to see it.</p>
      ) : (
        <>
          <p className="prev__lead">
            If approved, on <b className="m">{connection.name}</b> for <b className="m">{spokenDuration(duration)}</b>:
          </p>
          <Lines connection={connection} chosen={chosen} classes={classes} />
          {connection.kind === 'postgres' && (
            <Try connection={connection} chosen={chosen} classes={classes} statement={statement} />
          )}
        </>
      )}
      <div className="prev__nx">
        <h3 className="h-label">After you send</h3>
        <ol className="nx">
          <li>Reviewers are told here, and where the policy says.</li>
          <li>Keep working. The request shows Held until they decide.</li>
          <li>The time starts when the last person approves.</li>
        </ol>
      </div>
    </aside>
  )
}

function Lines({
  connection,
  chosen,
  classes,
}: {
  connection: Connection
  chosen: readonly string[]
  classes: readonly string[]
}) {
  const granted = (action: string) => isGranted(action, chosen)
  const names = (verdict: Decision['verdict']) =>
    inGroups(
      connection.actions.filter((a) => a.decision.verdict === verdict && !granted(a.action)).map((a) => a.action),
    )
  const gained = inGroups(
    connection.actions.filter((a) => a.decision.verdict === 'hold' && granted(a.action)).map((a) => a.action),
  )
  const masked = connection.dataClasses.filter((c) => c.unmask.verdict === 'masked' && !classes.includes(c.name))
  const list = (items: readonly string[]) => [...new Set(items)].join(', ')
  const sub = (words: string, { kinds }: ActionGroups) => (
    <>
      {kinds.length > 0 && `${list(kinds)} · `}
      {kinds.length > 0 ? words : capitalise(words)}
    </>
  )
  const [allowed, held, blocked] = [names('allow'), names('hold'), names('block')]
  return (
    <div className="pvs">
      <Line look={looks.allowed} what={list(allowed.names)} sub={sub('as before, at once', allowed)} />
      <Line look={looks.granted} what={list(gained.names)} sub={sub('at once, while the grant lasts', gained)} />
      <Line look={looks.granted} what={list(classes)} sub="Shown in the clear, while the grant lasts" />
      <Line look={looks.masked} what={list(masked.map((c) => c.name))} sub="Stay masked, also for you" />
      <Line look={looks.held} what={list(held.names)} sub={sub('each still asks for approval', held)} />
      <Line look={looks.blocked} what={list(blocked.names)} sub="Not part of any grant" />
      <div className="pv">
        <span className="pv__i">
          <span className="rec rec--bare" />
        </span>
        <div>
          <span className="pv__w rec__w">Recorded</span>every request and its outcome
          <div className="pv__s">Auditors can replay it</div>
        </div>
      </div>
    </div>
  )
}

/** The chosen actions, or their parents, cover it. */
function isGranted(action: string, chosen: readonly string[]): boolean {
  return isAction(action) && chosen.some((c) => covers(c, action))
}

function Line({ look, what, sub }: { look: Look; what: string; sub: ReactNode }) {
  if (what === '') return null
  return (
    <div className={`pv d-${look.tone}`}>
      <span className="pv__i">
        <Icon name={look.icon} />
      </span>
      <div className="grow">
        <span className="pv__w">{look.word}</span>
        {what}
        <div className="pv__s">{sub}</div>
      </div>
    </div>
  )
}

/** Asks the gateway what would happen to a statement. It is checked and never run. */
function Try({
  connection,
  chosen,
  classes,
  statement,
}: {
  connection: Connection
  chosen: readonly string[]
  classes: readonly string[]
  statement: string | undefined
}) {
  const { client } = useRpc()
  const off = usePause() !== undefined
  const [text, setText] = useState(statement ?? '')
  const explain = useMutation({
    mutationFn: (statement: string) => client.gateway.explain({ connection: connection.name, text: statement }),
  })
  const { mutate, reset } = explain
  // biome-ignore lint/correctness/useExhaustiveDependencies: an answer is about the connection that was asked
  useEffect(() => reset(), [connection.name, reset])
  useEffect(() => {
    // What was stopped is checked at once, so that the answer is there before anybody asks.
    if (statement !== undefined && statement.trim() !== '') mutate(statement)
  }, [statement, mutate])
  const answer = explain.data?.statements[0]
  return (
    <div className="prev__try">
      <div className="row">
        <h3 className="h-label">Try a statement</h3>
        <span className="right xs t3">Checked, never run</span>
      </div>
      <div className="input input--area prev__in">
        <textarea
          className="code-i"
          aria-label="Try a statement"
          value={text}
          spellCheck={false}
          placeholder="UPDATE orders SET status = 'paid' WHERE id = 1"
          onChange={(event) => setText(event.target.value)}
        />
      </div>
      <Button size="sm" disabled={off || text.trim() === '' || explain.isPending} onClick={() => explain.mutate(text)}>
        Check
      </Button>
      {explain.error && <ProblemNote error={explain.error} retry={() => explain.mutate(text)} />}
      {answer && (
        <Answer
          decision={answer.decision}
          granted={isGranted(answer.action, chosen)}
          masks={answer.masks.filter((mask) => !classes.includes(mask.dataClass)).length}
        />
      )}
    </div>
  )
}

function Answer({ decision, granted, masks }: { decision: Decision; granted: boolean; masks: number }) {
  const { look, words } = answerWords(decision, granted, masks)
  return (
    <div className={`ans edge d-${look.tone}`} role="status">
      <span className="fg">
        <Icon name={look.icon} />
      </span>
      <b className="fg">{look.word}</b>
      <span className="grow">{words}</span>
    </div>
  )
}

function answerWords(decision: Decision, granted: boolean, masks: number): { look: Look; words: string } {
  switch (decision.verdict) {
    case 'allow':
      return masks > 0
        ? {
            look: looks.masked,
            words: `runs now; ${counted(masks, 'column')} ${masks === 1 ? 'stays' : 'stay'} hidden.`,
          }
        : { look: looks.allowed, words: 'runs now, without a grant.' }
    case 'hold':
      return granted
        ? { look: looks.granted, words: 'would run at once with this grant.' }
        : { look: looks.held, words: `would still ask: ${decision.policy.reason}` }
    case 'block':
      return { look: looks.blocked, words: decision.policy.reason }
    default:
      return decision satisfies never
  }
}
