import { useQuery } from '@tanstack/react-query'
import type { AccessRequest } from '../../shared/api/models.ts'
import { Chip, Policy } from '../decisions/chip.tsx'
import { EnvTag, kindIcon, kinds } from '../decisions/environment.tsx'
import { Icon, type IconName } from '../decisions/icon.tsx'
import { SqlText } from '../decisions/sql-text.tsx'
import { dayAndTime, useNow, when } from '../decisions/time.ts'
import {
  actionName,
  actionWords,
  bareName,
  capitalise,
  requestLook,
  requestTitle,
  spokenDuration,
} from '../decisions/words.ts'
import { useRequests } from '../frame/waiting.ts'
import { usePerson, useRpc } from '../rpc/context.tsx'
import { problemOf } from '../rpc/problem.ts'
import { Empty, IconButton, Spinner } from '../theme/controls.tsx'
import { DecisionPanel } from './decision-panel.tsx'

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
  const copyLink = () => copy(`sallyport://request/${request.id}`)
  return (
    <section className="rd grow" aria-label={`Request ${requestTitle(request)}`}>
      <header className="rd__hd">
        <div className="row row--10">
          <h1 className="trunc">{title(request)}</h1>
          <EnvTag environment={request.connection.environment} />
          <Chip look={look} large>
            {detail}
          </Chip>
          <span className="right row">
            <IconButton icon="link" label="Copy link" size={16} onClick={copyLink} />
          </span>
        </div>
        <p className="t2">
          <b className="m rd__who">{own ? 'You' : request.requester.name}</b> asked {when(request.createdAt)}
          {request.reason !== '' && <>: “{request.reason}”</>}
        </p>
      </header>
      <div className="rd__bd scroll">
        <div className="cxs">
          <Context
            icon="user"
            label="Person"
            value={request.requester.name}
            sub={request.requester.groups.join(', ')}
          />
          <Context
            icon={kindIcon(request.connection)}
            label={kinds[request.connection.kind].one}
            value={request.connection.name}
            sub={request.connection.tags.join(', ')}
          />
          <Context icon="map-pin" label="From" value={request.sourceIp} sub="address of the client" />
          <Context
            icon="clock"
            label="Asked"
            value={dayAndTime(request.createdAt)}
            sub={`waits until ${when(request.expiresAt)}`}
          />
        </div>
        {request.kind === 'once' ? <Statement request={request} /> : <Asked request={request} />}
        <div className="blk">
          <div className="blk__h">
            <b>Why it was held</b>
            <Policy policy={request.policy} />
          </div>
          <p className="t2">{request.policy.reason}</p>
        </div>
        <Similar request={request} />
      </div>
    </section>
  )
}

function title(request: AccessRequest): string {
  const { name } = request.connection
  if (request.kind === 'grant') return `${actionWords(request.actions, request.dataClasses)} on ${name}`
  return `${request.action === undefined ? 'Statement' : capitalise(actionName(request.action))} on ${name}`
}

function Context({ icon, label, value, sub }: { icon: IconName; label: string; value: string; sub: string }) {
  return (
    <div className="cx">
      <Icon name={icon} />
      <div className="grow">
        <div className="cx__l">{label}</div>
        <div className="cx__v trunc">{value}</div>
        <div className="cx__s trunc">{sub}</div>
      </div>
    </div>
  )
}

/** The exact text that will run, with its hash. */
function Statement({ request }: { request: AccessRequest }) {
  const text = request.text ?? ''
  const hash = request.textSha256 ?? ''
  const sql = request.connection.kind === 'postgres'
  return (
    <>
      <div className="blk">
        <div className="blk__h">
          <b>{sql ? 'Statement' : 'Command'}</b>
          <span className="t2">runs once, exactly as shown</span>
          <span className="right row xs t3 row--6" title={hash}>
            <Icon name="hash" size={12} />
            <span className="mono">
              sha256 {hash.slice(0, 4)} {hash.slice(4, 8)} … {hash.slice(-4)}
            </span>
            <IconButton icon="copy" label="Copy the hash" onClick={() => copy(hash)} />
          </span>
        </div>
        <section className="well well--n" aria-label={sql ? 'Statement' : 'Command'}>
          {text.split('\n').map((line, i) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: lines of a fixed text
            <div className="wl" key={i}>
              <span aria-hidden="true">{i + 1}</span>
              <code>{sql ? <SqlText text={line} /> : line}</code>
            </div>
          ))}
        </section>
      </div>
      {request.tables.length > 0 && (
        <div className="imp imp--one">
          <div>
            {request.tables.map((table) => (
              <div className="imp__t" key={table}>
                <Icon name="table" size={14} />
                {bareName(table)} <span className="t2">{request.action ? actionName(request.action) : ''}</span>
              </div>
            ))}
          </div>
        </div>
      )}
    </>
  )
}

/** What a timed grant would allow. */
function Asked({ request }: { request: AccessRequest }) {
  return (
    <div className="blk">
      <div className="blk__h">
        <b>Access</b>
        <span className="t2">
          for {spokenDuration(request.durationSeconds ?? request.approval.windowSeconds)}, from the moment it is
          approved
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

/** Decided requests on the same connection, for comparison. */
function Similar({ request }: { request: AccessRequest }) {
  const similar = useRequests().requests.filter(
    (other) =>
      other.id !== request.id &&
      other.connection.name === request.connection.name &&
      other.kind === request.kind &&
      (other.state === 'approved' || other.state === 'denied'),
  )
  if (similar.length === 0) return null
  const approved = similar.filter((other) => other.state === 'approved').length
  return (
    <div className="blk">
      <div className="blk__h">
        <b>Similar requests</b>
        <span className="t2">
          {approved} of {similar.length} approved
        </span>
      </div>
      <table className="tb">
        <thead>
          <tr>
            <th className="tb__when">When</th>
            <th className="tb__who">Requester</th>
            <th>{request.kind === 'once' ? 'Statement' : 'Access'}</th>
            <th className="tb__who">Decided by</th>
          </tr>
        </thead>
        <tbody>
          {similar.slice(0, 5).map((other) => (
            <tr key={other.id}>
              <td>{when(other.createdAt)}</td>
              <td>{other.requester.name}</td>
              <td className={other.kind === 'once' ? 'mono' : undefined}>{other.text ?? requestTitle(other)}</td>
              <td>
                {other.state === 'denied' ? 'denied, ' : ''}
                {other.reviews.map((review) => review.by).join(', ')}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function copy(text: string): void {
  navigator.clipboard.writeText(text).catch((error: unknown) => console.warn('Nothing was copied.', error))
}
