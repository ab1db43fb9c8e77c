import type { Connection, Session } from '../../shared/api/models.ts'
import { Chord } from '../actions/chord.tsx'
import { GrantChip } from '../decisions/chip.tsx'
import { EnvTag, environments, kinds } from '../decisions/environment.tsx'
import { SqlText } from '../decisions/sql-text.tsx'
import { dayAndTime, longDuration, useNow } from '../decisions/time.ts'
import { capitalise, counted } from '../decisions/words.ts'
import { useDesk } from '../frame/desk.tsx'
import { grantWords, useMyGrants } from '../frame/grants.ts'
import { useStore } from '../rpc/store.ts'
import { useEndpoint } from '../settings/endpoints.ts'
import { mayDo } from '../sidebar/may-do.ts'
import type { Item } from './items.ts'

/** Right of the list: what is known of the chosen thing. */
export function Details({ item }: { item: Item | undefined }) {
  if (item === undefined) return null
  switch (item.kind) {
    case 'connection':
    case 'table':
      return <ConnectionDetails connection={item.connection} />
    case 'request':
      return (
        <aside className="pal__d">
          <b className="m">{item.request.requester.name}</b>
          <p className="sm t2">{item.request.reason || item.request.policy.reason}</p>
        </aside>
      )
    case 'session':
      return <SessionDetails session={item.session} />
    case 'saved':
      return (
        <aside className="pal__d">
          <b className="m">{item.saved.name}</b>
          <p className="sm t2">{item.saved.connection ?? 'any database'}</p>
          <SqlText text={item.saved.text.slice(0, 600)} />
        </aside>
      )
    case 'statement':
      return (
        <aside className="pal__d">
          <b className="m">{item.ran.connection}</b>
          <p className="sm t2">{dayAndTime(item.ran.at)}</p>
          <SqlText text={item.ran.text.slice(0, 600)} />
        </aside>
      )
    case 'command':
      return (
        <aside className="pal__d">
          <b className="m">{item.label}</b>
          <p className="sm t2">{item.keys === undefined ? 'No keys. Give it some in the shortcuts.' : 'By key:'}</p>
          {item.keys !== undefined && <Chord keys={item.keys} />}
        </aside>
      )
    default:
      return item satisfies never
  }
}

function SessionDetails({ session }: { session: Session }) {
  const { principal, connection, startedAt, endedAt, state, endReason, counts } = session
  return (
    <aside className="pal__d">
      <div className="row">
        <EnvTag environment={connection.environment} />
        <b className="m">{connection.name}</b>
      </div>
      <p className="sm t2">{principal.name}</p>
      <dl className="kv pal__kv">
        <dt>Started</dt>
        <dd>{dayAndTime(startedAt)}</dd>
        {endedAt !== undefined && (
          <>
            <dt>Length</dt>
            <dd>{longDuration(Date.parse(endedAt) - Date.parse(startedAt))}</dd>
          </>
        )}
        <dt>State</dt>
        <dd className="pal__all">{state === 'live' ? 'Live' : (endReason ?? 'Ended')}</dd>
        <dt>Decisions</dt>
        <dd className="pal__all">
          {counted(
            Object.values(counts).reduce((sum, n) => sum + n, 0),
            'decision',
          )}
        </dd>
      </dl>
    </aside>
  )
}

function ConnectionDetails({ connection }: { connection: Connection }) {
  const { workspace } = useDesk()
  const open = useStore(workspace.state).documents.some((d) => d.connection === connection.name)
  const grants = useMyGrants(useNow(5_000)).filter((grant) => grant.connection === connection.name)
  const endpoint = useEndpoint(connection.name)
  const { now: allowed, asked, masked } = mayDo(connection)
  const locked = connection.access === 'locked'
  return (
    <aside className="pal__d">
      <div className="row">
        <EnvTag environment={connection.environment} />
        <b className="m">{connection.name}</b>
      </div>
      <p className="sm t2">
        {kinds[connection.kind].product} · {connection.description}
      </p>
      <dl className="kv pal__kv">
        <dt>Status</dt>
        <dd>
          {open && <span className="dot dot--open pal__o" />}
          {locked ? 'Locked' : open ? 'Open' : connection.reachable ? 'Reachable' : 'Offline'}
        </dd>
        <dt>Access</dt>
        <dd className="pal__all">{locked ? 'Ask first' : capitalise(allowed.join(', '))}</dd>
        {asked.length > 0 && (
          <>
            <dt>With approval</dt>
            <dd className="pal__all">{capitalise(asked.join(', '))}</dd>
          </>
        )}
        {grants.map((grant) => (
          <dd className="pal__g" key={grant.id}>
            <GrantChip what={grantWords(grant)} endsAt={grant.endsAt} />
          </dd>
        ))}
        {masked.length > 0 && (
          <>
            <dt>Masked</dt>
            <dd className="pal__all">{masked.join(', ')}</dd>
          </>
        )}
        {endpoint?.open && (
          <>
            <dt>Local port</dt>
            <dd className="mono">
              {endpoint.host}:{endpoint.port}
            </dd>
          </>
        )}
      </dl>
      <p className="pal__w">
        <span className="rec" />
        <span>{environments[connection.environment].name}. Everything you run is recorded.</span>
      </p>
    </aside>
  )
}
