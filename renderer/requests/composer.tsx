import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { Connection } from '../../shared/api/models.ts'
import { useActions, useKeys } from '../actions/use-actions.ts'
import { actionName, capitalise, spokenDuration } from '../decisions/words.ts'
import { type RequestDraft, useNavigation } from '../frame/desk.tsx'
import { usePause, usePerson, useRpc } from '../rpc/context.tsx'
import { problemOf } from '../rpc/problem.ts'
import { useConnections } from '../sidebar/connections.ts'
import { Button, Check, Segments } from '../theme/controls.tsx'
import { type Askable, askable } from './askable.ts'
import { ConnectionSelect } from './connection-select.tsx'
import { Preview } from './preview.tsx'

const durations = [900, 1800, 3600, 4 * 3600] as const

/** Asking for access, for a time: what, why, how long, and what it will allow. */
export function Composer({ draft }: { draft: RequestDraft }) {
  const connections = useConnections().data ?? []
  const [name, setName] = useState(draft.connection)
  const connection = connections.find((c) => c.name === name)
  return (
    <ComposerForm
      key={connection?.name ?? ''}
      connections={connections}
      connection={connection}
      draft={name === draft.connection ? draft : {}}
      onConnection={setName}
    />
  )
}

function ComposerForm({
  connections,
  connection,
  draft,
  onConnection,
}: {
  connections: readonly Connection[]
  connection: Connection | undefined
  draft: RequestDraft
  onConnection(name: string): void
}) {
  const { client } = useRpc()
  const sendKeys = useKeys('compose.send')
  const go = useNavigation()
  const off = usePause() !== undefined
  const [actions, setActions] = useState<readonly string[]>(draft.actions ?? [])
  const [classes, setClasses] = useState<readonly string[]>(draft.dataClasses ?? [])
  const [duration, setDuration] = useState<number>(1800)
  const [reason, setReason] = useState('')
  const [tried, setTried] = useState(false)
  const offers = connection === undefined ? undefined : askable(connection)
  const chosen =
    classes.length > 0
      ? [...new Set([...actions.filter((a) => a !== 'unmask'), 'unmask'])]
      : actions.filter((a) => a !== 'unmask')
  const missing =
    connection === undefined
      ? 'Choose a connection.'
      : chosen.length === 0
        ? 'Choose what you need.'
        : reason.trim().length < 3
          ? 'Say why: reviewers decide by it.'
          : undefined
  const send = useMutation({
    mutationFn: (to: Connection) =>
      client.gateway.requests.create({
        connection: to.name,
        actions: [...chosen],
        dataClasses: [...classes],
        durationSeconds: duration,
        reason: reason.trim(),
      }),
    onSuccess: (request) => go.request(request.id, 'mine'),
  })
  const submit = () => {
    setTried(true)
    if (missing === undefined && connection !== undefined && !off && !send.isPending) send.mutate(connection)
  }
  useActions({ 'compose.send': submit })
  return (
    <>
      <section className="comp grow" aria-label="Request access">
        <header className="comp__hd">
          <h1>Request access</h1>
          <span className="right">
            <Button size="sm" kind="ghost" onClick={() => go.requests('mine')}>
              Discard
            </Button>
          </span>
        </header>
        <div className="comp__bd scroll">
          <Field title="What">
            <ConnectionSelect connections={connections} value={connection} onChange={onConnection} />
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
            <div className={tried && reason.trim().length < 3 ? 'input input--area is-error' : 'input input--area'}>
              <textarea
                aria-label="Reason"
                value={reason}
                maxLength={2000}
                placeholder="What you are about to do, and the ticket it belongs to"
                onChange={(event) => setReason(event.target.value)}
              />
            </div>
          </Field>
          <Field title="How long">
            <div className="row row--12">
              <Segments
                label="How long"
                size="lg"
                value={String(duration)}
                onChange={(value) => setDuration(Number(value))}
                options={durations.map((seconds) => ({ value: String(seconds), label: spokenDuration(seconds) }))}
              />
              <span className="t2">from the moment it is approved</span>
            </div>
            <p className="sm t2">Ends by itself, or earlier if you end it. Policy may shorten it.</p>
          </Field>
          <Reviewers offers={offers} chosen={chosen} />
        </div>
        <footer className="comp__ft">
          <Button kind="primary" icon="send" keys={sendKeys} disabled={off || send.isPending} onClick={submit}>
            Send request
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
      <Preview connection={connection} chosen={chosen} classes={classes} duration={duration} />
    </>
  )
}

function Field({ title, children }: { title: string; children: React.ReactNode }) {
  return (
    <div className="fs">
      <h2 className="fs__l">{title}</h2>
      <div className="fs__b">{children}</div>
    </div>
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
  const never = offers.actions.filter((offer) => offer.state === 'never')
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
      {never
        .map(
          (offer) =>
            offer.policy && (
              <p className="sm t2" key={offer.action}>
                {capitalise(actionName(offer.action))}: {offer.policy.reason}{' '}
                <span className="policy">{offer.policy.id}</span>
              </p>
            ),
        )
        .slice(0, 1)}
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

/** Who will be asked: the groups that the chosen actions' policies name. */
function Reviewers({ offers, chosen }: { offers: Askable | undefined; chosen: readonly string[] }) {
  const { queries } = useRpc()
  const me = usePerson()?.id
  const approvals = offers?.approvals(chosen) ?? []
  const people = useQuery(
    queries.gateway.identities.list.queryOptions({ enabled: approvals.length > 0, retry: false }),
  ).data
  if (approvals.length === 0) return null
  return (
    <Field title="Who reviews">
      <div className="revs">
        {approvals.map((approval) => {
          const members =
            people?.filter((p) => p.kind === 'user' && p.id !== me && p.groups.includes(approval.group)) ?? []
          return (
            <div className="rv" key={approval.group}>
              <div className="rv__h">
                <b className="m">{approval.group}</b>
                <span className="t2">
                  any {approval.count}
                  {members.length > 0 && ` of ${members.length}`}
                </span>
              </div>
              {members.slice(0, 4).map((person) => (
                <div className="rv__p" key={person.id}>
                  <span>{person.name}</span>
                  <span>{person.id}</span>
                </div>
              ))}
              <p className="sm t2 rv__n">You cannot approve your own request.</p>
            </div>
          )
        })}
      </div>
    </Field>
  )
}
