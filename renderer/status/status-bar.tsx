import { useSyncExternalStore } from 'react'
import { EnvTag, environments } from '../decisions/environment.tsx'
import { Icon } from '../decisions/icon.tsx'
import { useNow } from '../decisions/time.ts'
import { counted } from '../decisions/words.ts'
import { useDesk, usePlace } from '../frame/desk.tsx'
import { useMyGrants } from '../frame/grants.ts'
import { useGatewayHost } from '../frame/title-bar.tsx'
import { useHeldCount, useWaitingForMe } from '../frame/waiting.ts'
import { type Pause, useGatewayLink, usePause, usePerson } from '../rpc/context.tsx'
import { useStore } from '../rpc/store.ts'
import type { SqlRuntime } from '../sql/runtime.ts'
import type { TerminalRuntime } from '../terminal/runtime.ts'
import { GrantStatus } from './grant-status.tsx'
import { Recording } from './recording.tsx'

/** What the window stands on: environment, connection, recording, grants and held requests. */
export function StatusBar() {
  const { area } = usePlace()
  const person = usePerson()
  const pause = usePause()
  const link = useGatewayLink()
  const host = useGatewayHost()
  return (
    <footer className="status">
      {area === 'connections' ? <TabState /> : <AreaState />}
      {area === 'sessions' && <span className="status__i">Your viewing is logged</span>}
      <span className="status__sp" />
      {area === 'connections' && <EditorState />}
      <span className="status__i status__who">{pause === 'expired' ? 'Signed out' : person?.id}</span>
      {pause === 'gateway-down' || pause === 'core-down' ? (
        <span className="status__i fg d-blocked">
          <Icon name="cloud-off" size={14} />
          no gateway
        </span>
      ) : (
        <span className="status__i" title={`Gateway ${host}`}>
          <span className="trunc status__gw">{host}</span>
          {link?.latencyMs !== undefined && <span className="num">{Math.round(link.latencyMs)} ms</span>}
        </span>
      )}
    </footer>
  )
}

const pausedWords: Readonly<Record<Pause, string>> = {
  expired: 'Session paused',
  'gateway-down': 'Paused',
  'core-down': 'Not connected',
}

function TabState() {
  const { workspace } = useDesk()
  const { documents, active } = useStore(workspace.state)
  const pause = usePause()
  const document = documents.find((d) => d.id === active)
  const held = useHeldCount()
  if (document === undefined) return <span className="status__i status__env status__env--none">No connection open</span>
  const { data, name } = environments[document.environment]
  return (
    <>
      {document.environment === 'development' ? (
        <span className="status__i status__env">
          <EnvTag environment="development" />
        </span>
      ) : (
        <span className={`status__i status__env status__env--${data}`}>{name.toUpperCase()}</span>
      )}
      <span className="status__i">{document.connection}</span>
      {pause === undefined ? (
        <Recording document={document} />
      ) : (
        <span className="status__i">
          <Icon name="pause" size={14} />
          {pausedWords[pause]}
        </span>
      )}
      <GrantStatus connection={document.connection} />
      {held > 0 && (
        <span className="status__i fg d-held">
          <Icon name="hourglass" size={14} />
          {held} held
        </span>
      )}
    </>
  )
}

/** Of the tab in front: where the cursor is and what the server is, or how large its terminal is. */
function EditorState() {
  const { workspace, runtimes } = useDesk()
  const document = useStore(workspace.state, (s) => s.documents.find((d) => d.id === s.active))
  const runtime = useSyncExternalStore(runtimes.subscribe, () =>
    document === undefined ? undefined : runtimes.get(document.id),
  )
  if (runtime === undefined) return null
  if ('cursor' in runtime) return <SqlState runtime={runtime} />
  return 'resize' in runtime && document?.kind === 'terminal' ? <TerminalSize runtime={runtime} /> : null
}

/** What it is told its terminal is: this encoding, and so many columns and rows. */
function TerminalSize({ runtime }: { runtime: TerminalRuntime }) {
  const size = useStore(runtime.state, (s) => s.size)
  return (
    <>
      <span className="status__i status__more">UTF-8</span>
      {size !== undefined && (
        <span className="status__i num status__more" title={`${size.cols} columns, ${size.rows} rows`}>
          {size.cols} × {size.rows}
        </span>
      )}
    </>
  )
}

function SqlState({ runtime }: { runtime: SqlRuntime }) {
  const at = useStore(runtime.cursor)
  const server = useStore(runtime.state, (s) => s.server)
  return (
    <>
      {at !== undefined && (
        <span className="status__i num status__more">
          Ln {at.line}, Col {at.column}
        </span>
      )}
      {server !== undefined && (
        <span className="status__i status__more" title={`PostgreSQL ${server}`}>
          PostgreSQL {/^\d+/.exec(server)?.[0] ?? server}
        </span>
      )}
    </>
  )
}

const areaNames = { requests: 'Requests', sessions: 'Audit', settings: 'Settings' } as const

function AreaState() {
  const { area } = usePlace()
  const held = useHeldCount()
  const waiting = useWaitingForMe()
  const grants = useMyGrants(useNow(15_000))
  return (
    <>
      {area !== 'connections' && <span className="status__i">{areaNames[area]}</span>}
      {area === 'sessions' && (
        <span className="status__i">
          <Icon name="eye" size={14} />
          Read only
        </span>
      )}
      {waiting > 0 && (
        <span className="status__i fg d-held">
          <Icon name="hourglass" size={14} />
          {waiting} to review
        </span>
      )}
      {held > 0 && (
        <span className="status__i fg d-held">
          <Icon name="hourglass" size={14} />
          {held} held
        </span>
      )}
      {grants.length > 0 && (
        <span className="status__i fg d-granted">
          <Icon name="key" size={14} />
          {counted(grants.length, 'active grant')}
        </span>
      )}
    </>
  )
}
