import { useQuery } from '@tanstack/react-query'
import { useId } from 'react'
import type { AccessRequest } from '../../shared/api/models.ts'
import { useActions, useKeys } from '../actions/use-actions.ts'
import { Chip, Policy } from '../decisions/chip.tsx'
import { copyText } from '../decisions/copy.ts'
import { EnvTag } from '../decisions/environment.tsx'
import { Icon } from '../decisions/icon.tsx'
import { dayAndTime, useNow, when } from '../decisions/time.ts'
import { actionName, actionWords, capitalise, requestLook, requestTitle, spokenDuration } from '../decisions/words.ts'
import { useNavigation, usePlace } from '../frame/desk.tsx'
import { useFocusHere } from '../frame/use-focus-here.ts'
import { usePerson, useRpc } from '../rpc/context.tsx'
import { problemOf } from '../rpc/problem.ts'
import { Empty, IconButton, Spinner } from '../theme/controls.tsx'
import { DecisionPanel } from './decision-panel.tsx'
import { EarlierRequests } from './earlier.tsx'
import { Facts } from './facts.tsx'
import { useListed } from './list.tsx'
import { Statement } from './statement.tsx'

/** One request: who asks, for what exactly, why it was held, and the decision. */
export function Detail({ id }: { id: string }) {
  const { queries } = useRpc()
  const query = useQuery(queries.gateway.requests.get.queryOptions({ input: { id } }))
  if (query.data === undefined) {
    return (
      <div className="gate__wait grow">
        {query.error ? (
          <Empty icon="circle-x" title="The request could not be read" text={problemOf(query.error).message} />
        ) : (
          <Spinner label="Loading the request" />
        )}
      </div>
    )
  }
  return (
    <>
      <Body request={query.data} />
      <DecisionPanel request={query.data} />
    </>
  )
}

function Body({ request }: { request: AccessRequest }) {
  const me = usePerson()?.id
  const { detail, ...look } = requestLook(request, useNow(15_000))
  const own = request.requester.id === me
  // Sent, withdrawn, decided or given back: the button that did it is gone.
  const here = useFocusHere<HTMLElement>(`${request.state} ${request.canReview} ${request.reviews.length} ${look.word}`)
  const status = useId()
  const copyLink = () => copyText(`sallyport://request/${request.id}`)
  return (
    <section
      className="rd grow"
      ref={here}
      tabIndex={-1}
      aria-label={`Request ${requestTitle(request)}`}
      aria-describedby={status}
    >
      <header className="rd__hd">
        <div className="row row--10">
          <h1 className="trunc">{title(request)}</h1>
          <EnvTag environment={request.connection.environment} />
          <span id={status}>
            <Chip look={look} large>
              {detail}
            </Chip>
          </span>
          <span className="right row">
            <Neighbours id={request.id} />
            <IconButton icon="link" label="Copy link" size={16} onClick={copyLink} />
          </span>
        </div>
        <p className="t2">
          <b className="m rd__who">{own ? 'You' : request.requester.name}</b> asked {when(request.createdAt)}
          {request.reason !== '' && <>: “{request.reason}”</>}
        </p>
      </header>
      <div className="rd__bd scroll">
        <Facts request={request} />
        {request.kind === 'once' ? <Statement request={request} /> : <Asked request={request} />}
        <div className="blk">
          <div className="blk__h">
            <b>{request.kind === 'once' ? 'Why it was held' : 'The rule that asks'}</b>
            <Policy policy={request.policy} />
          </div>
          <p className="t2">{request.policy.reason}</p>
        </div>
        <EarlierRequests request={request} />
      </div>
    </section>
  )
}

/** The request above and below in the list, by button and by key. */
function Neighbours({ id }: { id: string }) {
  const { list } = usePlace()
  const go = useNavigation()
  const ids = useListed()
  const at = ids.indexOf(id)
  const move = (step: number) => {
    const to = ids[at + step]
    if (at >= 0 && to !== undefined) go.request(to, list)
  }
  useActions({ 'review.next': () => move(1), 'review.previous': () => move(-1) })
  const next = useKeys('review.next')
  const previous = useKeys('review.previous')
  return (
    <>
      <IconButton icon="chev-up" label={`Previous request (${previous})`} size={16} onClick={() => move(-1)} />
      <IconButton icon="chev-down" label={`Next request (${next})`} size={16} onClick={() => move(1)} />
    </>
  )
}

function title(request: AccessRequest): string {
  const { name } = request.connection
  if (request.kind === 'grant') return `${actionWords(request.actions, request.dataClasses)} on ${name}`
  return `${request.action === undefined ? 'Statement' : capitalise(actionName(request.action))} on ${name}`
}

function begins(request: AccessRequest): string {
  if (request.extends !== undefined) return 'from the end of the grant that it goes on from'
  return request.startsAt === undefined ? 'from the moment it is approved' : `from ${dayAndTime(request.startsAt)}`
}

/** What a timed grant would allow. */
function Asked({ request }: { request: AccessRequest }) {
  return (
    <div className="blk">
      <div className="blk__h">
        <b>Access</b>
        <span className="t2">
          for {spokenDuration(request.durationSeconds ?? request.approval.windowSeconds)}, {begins(request)}
        </span>
      </div>
      <div className="imp imp--one">
        <div>
          {request.actions.map((action) => (
            <div className="imp__t" key={action}>
              <Icon name={action === 'unmask' ? 'eye' : 'key'} size={14} />
              {capitalise(actionName(action))}
              {action === 'unmask' && request.dataClasses.length > 0 && (
                <span className="t2">{request.dataClasses.join(', ')}</span>
              )}
            </div>
          ))}
        </div>
      </div>
    </div>
  )
}
