import './rdp.css'
import { Suspense, useEffect, useRef } from 'react'
import { useActions } from '../actions/use-actions.ts'
import { useAnnounce } from '../decisions/announce.tsx'
import { EnvTag } from '../decisions/environment.tsx'
import type { Document } from '../dock/workspace.ts'
import { useDesk } from '../frame/desk.tsx'
import { ExpiredGate } from '../frame/expired-gate.tsx'
import { usePause, usePerson, useRpc } from '../rpc/context.tsx'
import { useStore } from '../rpc/store.ts'
import { useConnection } from '../sidebar/connections.ts'
import { Grants, Recorded } from '../sql/toolbar.tsx'
import { Button, Spinner } from '../theme/controls.tsx'
import { preloaded } from '../theme/preloaded.tsx'
import { Beside } from './beside.tsx'
import { Boundary } from './boundary.tsx'
import { Live, titleOf } from './live.tsx'
import { Route } from './route.tsx'
import { createDesktopRuntime, type DesktopRuntime, type DesktopView } from './runtime.ts'

const ViewerPane = preloaded(() => import('./viewer/pane.tsx'))

type DesktopDocument = Extract<Document, { kind: 'desktop' }>

/** A Windows desktop: it runs in its own program; here is what the gateway does for it, and why. */
export default function DesktopTab({ document }: { document: DesktopDocument }) {
  const { client } = useRpc()
  const { runtimes } = useDesk()
  const runtime = runtimes.desktop(document.id, () => createDesktopRuntime(client, document.connection))
  const view = useStore(runtime.state)
  const person = usePerson()
  const pause = usePause()
  const connection = useConnection(document.connection)
  useSpoken(view)
  const phase = view.desktop?.phase
  const running = phase !== undefined && phase.state !== 'idle' && phase.state !== 'ended'
  return (
    <div className="rdptab">
      <div className="tools" role="toolbar" aria-label={`${document.connection} tools`}>
        <div className="crumb">
          <EnvTag environment={document.environment} />
          <b>{document.connection}</b>
          <span>as {person?.id}</span>
        </div>
        <Grants connection={document.connection} />
        <span className="right row">
          {phase?.state === 'open' && pause === undefined && <Recorded since={Date.parse(phase.since)} />}
          {running && (
            <Button size="sm" kind="danger" onClick={() => runtime.end()}>
              End session
            </Button>
          )}
        </span>
      </div>
      {pause === 'expired' ? (
        <ExpiredGate title="Sign in again to see this desktop" document={document} />
      ) : (
        <Body document={document} view={view} runtime={runtime} />
      )}
      {connection === undefined && view.desktop === undefined && view.problem === undefined && (
        <Spinner label={`Opening ${document.connection}`} />
      )}
    </div>
  )
}

function Body({ document, view, runtime }: { document: DesktopDocument; view: DesktopView; runtime: DesktopRuntime }) {
  const connection = useConnection(document.connection)
  const { desktop } = view
  const canFront = desktop?.canFront === true
  useActions({ 'desktop.front': runtime.front }, canFront)
  const viewing =
    desktop?.program?.id === 'viewer' && (desktop.phase.state === 'starting' || desktop.phase.state === 'open')
  if (viewing && connection !== undefined) {
    return (
      <Suspense fallback={<Spinner label="Loading the viewer" />}>
        <ViewerPane key={desktop.sessionId} connection={connection} view={view} runtime={runtime} />
      </Suspense>
    )
  }
  return (
    <div className="rdp">
      <div className="rdp__l scroll">
        <Live document={document} view={view} runtime={runtime} />
        {desktop !== undefined && <Route desktop={desktop} connection={document.connection} />}
        {desktop !== undefined && connection !== undefined && <Boundary connection={connection} desktop={desktop} />}
      </div>
      {desktop !== undefined && <Beside desktop={desktop} connection={document.connection} />}
    </div>
  )
}

/** Each state and each refusal is said once. */
function useSpoken({ desktop }: DesktopView) {
  const announce = useAnnounce()
  const told = useRef({ phase: '', id: 0 })
  useEffect(() => {
    if (desktop === undefined) return
    const { phase, said } = desktop
    if (phase.state !== told.current.phase) {
      told.current.phase = phase.state
      announce(`${desktop.connection}: ${titleOf(desktop)}`)
    }
    for (const { id, annotation } of said) {
      if (id <= told.current.id) continue
      told.current.id = id
      if (annotation.kind === 'blocked') announce(`Blocked. ${annotation.message}`)
    }
  }, [desktop, announce])
}
