import './list.css'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { Session } from '../../shared/api/models.ts'
import { Avatar } from '../decisions/chip.tsx'
import { EnvTag, kindIcon } from '../decisions/environment.tsx'
import { Icon } from '../decisions/icon.tsx'
import { dayAndTime, longDuration, useNow } from '../decisions/time.ts'
import { counted, type LookName, looks } from '../decisions/words.ts'
import { useNavigation } from '../frame/desk.tsx'
import { useAuth, useRpc } from '../rpc/context.tsx'
import { problemOf } from '../rpc/problem.ts'
import { Button, Check, Empty, Segments, Spinner } from '../theme/controls.tsx'
import { EndSession } from './end-session.tsx'

type StateFilter = 'all' | 'live' | 'ended'

/** Every session that the person may see, newest first. */
export function SessionList() {
  const { queries } = useRpc()
  const signedIn = useAuth()?.state === 'signed-in'
  const [state, setState] = useState<StateFilter>('all')
  const [text, setText] = useState('')
  const [catalog, setCatalog] = useState(false)
  const query = useQuery(
    queries.gateway.sessions.list.queryOptions({
      input: {
        limit: 500,
        ...(state === 'all' ? {} : { state }),
        // What a client reads of a database for itself is no session that somebody opened.
        ...(catalog ? {} : { purpose: 'work' }),
      },
      enabled: signedIn,
      staleTime: 5_000,
    }),
  )
  const words = text
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '')
  const shown = (query.data ?? []).filter((session) => words.every((word) => searchText(session).includes(word)))
  return (
    <>
      <div className="tools" role="toolbar" aria-label="Session filters">
        <label className="input input--quiet sess__q">
          <Icon name="search" size={14} />
          <input
            type="search"
            aria-label="Filter sessions"
            placeholder="Person, connection, address"
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
        </label>
        <Segments<StateFilter>
          label="State"
          value={state}
          onChange={setState}
          options={[
            { value: 'all', label: 'All' },
            { value: 'live', label: 'Live' },
            { value: 'ended', label: 'Ended' },
          ]}
        />
        <Check label="Catalog reading" checked={catalog} onChange={setCatalog} />
        <span className="right t3 sm num">{counted(shown.length, 'session')}</span>
      </div>
      <div className="scroll sess">
        {query.isPending && <Spinner label="Loading sessions" />}
        {query.error && (
          <Empty icon="circle-x" title="Sessions could not be read" text={problemOf(query.error).message} />
        )}
        {query.data &&
          shown.length === 0 &&
          (words.length > 0 || state !== 'all' ? (
            <Empty icon="search" title="Nothing fits the filter" text="People, connections and addresses are searched.">
              <Button
                size="sm"
                onClick={() => {
                  setText('')
                  setState('all')
                }}
              >
                Show all
              </Button>
            </Empty>
          ) : (
            <Empty
              icon="replay"
              title="No sessions"
              text="Each session through the gateway is recorded and appears here."
            />
          ))}
        {shown.length > 0 && <Table sessions={shown} />}
      </div>
    </>
  )
}

function searchText(session: Session): string {
  const { principal, connection, sourceIp, door, purpose = 'work', id } = session
  return [principal.name, principal.id, connection.name, connection.environment, sourceIp, door, purpose, id]
    .join(' ')
    .toLowerCase()
}

function Table({ sessions }: { sessions: readonly Session[] }) {
  return (
    <table className="tb sess__t" aria-label="Sessions">
      <thead>
        <tr>
          <th className="sess__who">Person</th>
          <th>Connection</th>
          <th>Started</th>
          <th>Length</th>
          <th>Through</th>
          <th>Decisions</th>
          <th>State</th>
          <th aria-label="Actions" />
        </tr>
      </thead>
      <tbody>
        {sessions.map((session) => (
          <Row key={session.id} session={session} />
        ))}
      </tbody>
    </table>
  )
}

const tallied: readonly LookName[] = ['masked', 'held', 'blocked', 'granted']

function Row({ session }: { session: Session }) {
  const go = useNavigation()
  const now = useNow(5_000)
  const { principal, connection, counts, state } = session
  const end = session.endedAt === undefined ? now : Date.parse(session.endedAt)
  const numbers: Record<string, number> = counts
  return (
    <tr>
      <td>
        <span className="row">
          <Avatar name={principal.name} />
          <span className="trunc">{principal.name}</span>
        </span>
      </td>
      <td>
        <span className="row">
          <EnvTag environment={connection.environment} />
          <span className="t3">
            <Icon name={kindIcon(connection)} size={14} />
          </span>
          <span className="trunc">{connection.name}</span>
        </span>
      </td>
      <td className="num">{dayAndTime(session.startedAt)}</td>
      <td className="num">{longDuration(end - Date.parse(session.startedAt))}</td>
      <td className="t2">
        {session.door} <span className="t3">{session.sourceIp}</span>
        {session.purpose === 'catalog' && (
          <span
            className="t3"
            title="A client read what the database holds; nothing else can be asked in such a session"
          >
            {' '}
            · catalog
          </span>
        )}
      </td>
      <td>
        <span className="row sess__d">
          <span className="t3 num">{counts.allowed} allowed</span>
          {tallied
            .filter((look) => (numbers[look] ?? 0) > 0)
            .map((look) => (
              <span key={look} className={`fg d-${looks[look].tone} row row--4`} title={looks[look].word}>
                <Icon name={looks[look].icon} size={12} />
                <span className="num">{numbers[look]}</span>
                <span className="visually-hidden">{looks[look].word}</span>
              </span>
            ))}
        </span>
      </td>
      <td>
        {state === 'live' ? (
          <span className="rec">Live</span>
        ) : (
          <span className="t3 sess__end">{session.endReason ?? 'Ended'}</span>
        )}
      </td>
      <td className="r">
        <span className="row sess__a">
          {state === 'live' && session.canKill && <EndSession session={session} />}
          {session.canReplay && (
            <Button
              size="sm"
              icon="replay"
              aria-label={`Replay ${connection.name} of ${principal.name}`}
              onClick={() => go.session(session.id)}
            >
              Replay
            </Button>
          )}
        </span>
      </td>
    </tr>
  )
}
