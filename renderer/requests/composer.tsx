import { useMutation } from '@tanstack/react-query'
import { useEffect, useId, useRef, useState } from 'react'
import type { Connection } from '../../shared/api/models.ts'
import { useActions, useKeys } from '../actions/use-actions.ts'
import { actionName, capitalise, spokenDuration } from '../decisions/words.ts'
import { type RequestDraft, useNavigation } from '../frame/desk.tsx'
import { usePause, useRpc } from '../rpc/context.tsx'
import { problemOf } from '../rpc/problem.ts'
import { useConnections } from '../sidebar/connections.ts'
import { Button, Check, Segments } from '../theme/controls.tsx'
import { type Askable, askable, longest, neverGiven, preselected } from './askable.ts'
import { ConnectionSelect } from './connection-select.tsx'
import { durationsUpTo, usualDuration } from './durations.ts'
import { Preview } from './preview.tsx'
import { example, reasonProblem } from './reason.ts'
import { Field, Reviewers } from './reviewers.tsx'

/** Asking for access, for a time: what, why, how long, and what it will allow. */
export function Composer({ draft: given }: { draft: RequestDraft }) {
  const connections = useConnections().data ?? []
  const [name, setName] = useState(given.connection)
  const connection = connections.find((c) => c.name === name)
  // What led here is about its connection; another one starts anew, but for what the person wrote.
  const draft: RequestDraft = name === given.connection ? given : {}
  const { client } = useRpc()
  const sendKeys = useKeys('compose.send')
  const go = useNavigation()
  const off = usePause() !== undefined
  const [ticked, setActions] = useState<readonly string[] | undefined>(undefined)
  const actions = ticked ?? draft.actions ?? (connection === undefined ? [] : preselected(connection))
  const [named, setClasses] = useState<readonly string[] | undefined>(undefined)
  const classes = named ?? draft.dataClasses ?? []
  const choose = (other: string) => {
    setName(other)
    setActions(undefined)
    setClasses(undefined)
  }
  const [asked, setDuration] = useState<number | undefined>(undefined)
  const [start, setStart] = useState('')
  const [reason, setReason] = useState(given.reason ?? '')
  const field = useRef<HTMLTextAreaElement>(null)
  // Where the rest is filled in by what led here, only the reason is left to say.
  const filled = given.connection !== undefined && connection !== undefined && actions.length + classes.length > 0
  const startedFilled = useRef(false)
  useEffect(() => {
    if (!filled || startedFilled.current) return
    startedFilled.current = true
    field.current?.focus()
  }, [filled])
  const [tried, setTried] = useState(false)
  const offers = connection === undefined ? undefined : askable(connection)
  const chosen =
    classes.length > 0
      ? [...new Set([...actions.filter((a) => a !== 'unmask'), 'unmask'])]
      : actions.filter((a) => a !== 'unmask')
  const approvals = offers?.approvals(chosen) ?? []
  const max = longest(approvals)
  const duration = Math.min(asked ?? usualDuration(max), max)
  const patterns = approvals.flatMap((approval) => approval.reasonPattern ?? [])
  const startsAt = start === '' ? undefined : new Date(start)
  const wrongReason = reasonProblem(reason, patterns)
  const missing =
    connection === undefined
      ? 'Choose a connection.'
      : chosen.length === 0
        ? 'Choose what you need.'
        : startsAt !== undefined && startsAt.getTime() <= Date.now()
          ? 'The start is in the past.'
          : wrongReason
  const send = useMutation({
    mutationFn: (to: Connection) =>
      client.gateway.requests.create({
        connection: to.name,
        actions: [...chosen],
        dataClasses: [...classes],
        durationSeconds: duration,
        reason: reason.trim(),
        ...(startsAt === undefined ? {} : { startsAt: startsAt.toISOString() }),
        ...(draft.extends === undefined ? {} : { extends: draft.extends }),
      }),
    onSuccess: (request) => go.request(request.id, 'mine'),
  })
  const submit = () => {
    setTried(true)
    if (missing !== undefined && missing === wrongReason) field.current?.focus()
    if (missing === undefined && connection !== undefined && !off && !send.isPending) send.mutate(connection)
  }
  useActions({ 'compose.send': submit })
  return (
    <>
      <section className="comp grow" aria-label="Request access">
        <header className="comp__hd">
          <h1>{draft.extends === undefined ? 'Request access' : 'Extend access'}</h1>
          <span className="right">
            <Button size="sm" kind="ghost" onClick={() => go.requests('mine')}>
              Discard
            </Button>
          </span>
        </header>
        <div className="comp__bd scroll">
          <Field title="What">
            <ConnectionSelect connections={connections} value={connection} onChange={choose} />
            {offers && (
              <Choices
                offers={offers}
                actions={actions}
                classes={classes}
                onActions={setActions}
                onClasses={setClasses}
              />
            )}
          </Field>
          <Field title="Why">
            <div className={tried && wrongReason !== undefined ? 'input input--area is-error' : 'input input--area'}>
              <textarea
                ref={field}
                aria-label="Reason"
                aria-invalid={tried && wrongReason !== undefined}
                value={reason}
                maxLength={2000}
                placeholder="What you are about to do, and the ticket it belongs to"
                onChange={(event) => setReason(event.target.value)}
              />
            </div>
            {patterns.length > 0 && (
              <p className={tried && wrongReason !== undefined ? 'err' : 'sm t2'}>
                The policy wants{' '}
                {patterns.map((pattern) => (
                  <code className="mono" key={pattern}>
                    {example(pattern)}
                  </code>
                ))}{' '}
                in it.
              </p>
            )}
          </Field>
          <Field title="How long">
            <div className="row row--12 comp__len">
              <Segments
                label="How long"
                size="lg"
                value={String(duration)}
                onChange={(value) => setDuration(Number(value))}
                options={durationsUpTo(max).map((seconds) => ({
                  value: String(seconds),
                  label: spokenDuration(seconds),
                }))}
              />
              {draft.extends === undefined ? (
                <Start value={start} onChange={setStart} />
              ) : (
                <span className="t2">from the end of the grant that you have</span>
              )}
            </div>
            <p className="sm t2">
              Ends by itself, or earlier if you give it back.
              {approvals.length > 0 && ` Policy gives ${spokenDuration(max)} at most.`}
            </p>
          </Field>
          <Reviewers approvals={approvals} />
        </div>
        <footer className="comp__ft">
          <Button kind="primary" icon="send" keys={sendKeys} disabled={off || send.isPending} onClick={submit}>
            {draft.extends === undefined ? 'Send request' : 'Ask for the extension'}
          </Button>
          {tried && missing !== undefined && (
            <span className="err" role="alert">
              {missing}
            </span>
          )}
          {send.error && (
            <span className="err" role="alert">
              {problemOf(send.error).message}
            </span>
          )}
        </footer>
      </section>
      <Preview
        connection={connection}
        chosen={chosen}
        classes={classes}
        duration={duration}
        statement={draft.statement}
      />
    </>
  )
}

function Choices({
  offers,
  actions,
  classes,
  onActions,
  onClasses,
}: {
  offers: Askable
  actions: readonly string[]
  classes: readonly string[]
  onActions(actions: readonly string[]): void
  onClasses(classes: readonly string[]): void
}) {
  const toggle = (list: readonly string[], item: string) =>
    list.includes(item) ? list.filter((i) => i !== item) : [...list, item]
  const had = offers.actions.filter((offer) => offer.state === 'have').map((offer) => actionName(offer.action))
  return (
    <>
      {/* biome-ignore lint/a11y/useSemanticElements: the design has no frame here */}
      <div className="opts" role="group" aria-label="Actions">
        {offers.actions.map((offer) => (
          <Check
            key={offer.action}
            label={capitalise(actionName(offer.action))}
            checked={actions.includes(offer.action)}
            disabled={offer.state !== 'ask'}
            onChange={() => onActions(toggle(actions, offer.action))}
          />
        ))}
      </div>
      {had.length > 0 && <p className="sm t2">{capitalise(had.join(', '))}: you have that already.</p>}
      {neverGiven(offers).map(({ policy, actions: names }) => (
        <p className="sm t2" key={policy.id}>
          {capitalise(names.map(actionName).join(', '))}: {policy.reason} <span className="policy">{policy.id}</span>
        </p>
      ))}
      {offers.classes.length > 0 && (
        <>
          <p className="sm t2">See masked values of</p>
          {/* biome-ignore lint/a11y/useSemanticElements: the design has no frame here */}
          <div className="opts" role="group" aria-label="Data classes">
            {offers.classes.map((dataClass) => (
              <Check
                key={dataClass.name}
                label={dataClass.name}
                checked={classes.includes(dataClass.name)}
                disabled={!dataClass.ask}
                onChange={() => onClasses(toggle(classes, dataClass.name))}
              />
            ))}
          </div>
        </>
      )}
    </>
  )
}

/** When it begins: at once when it is approved, or at a time. */
function Start({ value, onChange }: { value: string; onChange(value: string): void }) {
  const id = useId()
  const [later, setLater] = useState(value !== '')
  if (!later) {
    return (
      <span className="row row--6 t2 nowrap">
        from the moment it is approved
        <Button size="sm" kind="ghost" onClick={() => setLater(true)}>
          Start later…
        </Button>
      </span>
    )
  }
  return (
    <span className="row row--6">
      <label className="t2" htmlFor={id}>
        from
      </label>
      <span className="input comp__at">
        <input
          id={id}
          type="datetime-local"
          aria-label="Start"
          value={value}
          onChange={(event) => onChange(event.target.value)}
        />
      </span>
      <Button
        size="sm"
        kind="ghost"
        onClick={() => {
          onChange('')
          setLater(false)
        }}
      >
        At once
      </Button>
    </span>
  )
}
