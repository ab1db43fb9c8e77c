import './replay.css'
import { useQuery } from '@tanstack/react-query'
import { Suspense } from 'react'
import { EnvTag, environments } from '../decisions/environment.tsx'
import { Icon } from '../decisions/icon.tsx'
import { dayAndTime } from '../decisions/time.ts'
import { useNavigation, usePlace } from '../frame/desk.tsx'
import { useRpc } from '../rpc/context.tsx'
import { Spinner } from '../theme/controls.tsx'
import { preloaded } from '../theme/preloaded.tsx'
import { SessionList } from './list.tsx'

const Replay = preloaded(() => import('./replay.tsx'))

/** Recorded sessions: the list, and a tab for each that is replayed. */
export default function Sessions() {
  const { replays, replay, replayFrom = 0 } = usePlace()
  const go = useNavigation()
  return (
    <main className="main">
      <div className="tabs" role="tablist" aria-label="Sessions">
        <div className={replay === undefined ? 'tab is-on' : 'tab'} role="presentation">
          <button
            type="button"
            role="tab"
            aria-selected={replay === undefined}
            className="tab__b"
            onClick={() => go.sessionList()}
          >
            <Icon name="list" size={14} />
            Sessions
          </button>
        </div>
        {replays.map((id) => (
          <ReplayTab key={id} id={id} on={id === replay} />
        ))}
      </div>
      {replay === undefined ? (
        <SessionList />
      ) : (
        <Suspense fallback={<div className="gate__wait">{<Spinner label="Opening the recording" />}</div>}>
          <Replay key={`${replay} ${replayFrom}`} id={replay} from={replayFrom} />
        </Suspense>
      )}
    </main>
  )
}

function ReplayTab({ id, on }: { id: string; on: boolean }) {
  const { queries } = useRpc()
  const go = useNavigation()
  const session = useQuery(queries.gateway.sessions.get.queryOptions({ input: { id } })).data
  const name = session?.connection.name ?? id
  return (
    <div
      className={on ? 'tab is-on' : 'tab'}
      role="presentation"
      data-env={session && environments[session.connection.environment].data}
    >
      <button
        type="button"
        role="tab"
        aria-selected={on}
        aria-keyshortcuts="Delete"
        className="tab__b"
        onClick={() => go.session(id)}
        onKeyDown={(event) => {
          if (event.key === 'Delete') go.closeSession(id)
        }}
      >
        <Icon name="replay" size={14} />
        {session && <EnvTag environment={session.connection.environment} />}
        <span className="trunc">
          {name}{' '}
          {session && (
            <span className="sub">
              · {session.principal.name}, {dayAndTime(session.startedAt)}
            </span>
          )}
        </span>
      </button>
      {/* For the pointer alone: a list of tabs can hold no other control. By key: Delete. */}
      <span className="tab__x" aria-hidden="true" title="Close (Delete)" onClick={() => go.closeSession(id)}>
        <Icon name="x" size={12} />
      </span>
    </div>
  )
}
