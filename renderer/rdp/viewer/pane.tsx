import './pane.css'
import { useEffect, useRef, useState } from 'react'
import type { Connection } from '../../../shared/api/models.ts'
import { useRpc } from '../../rpc/context.tsx'
import { Button, Spinner } from '../../theme/controls.tsx'
import { crossingsOf } from '../crossings.ts'
import type { DesktopRuntime, DesktopView } from '../runtime.ts'
import { fitting, openViewer, type ViewerSession } from './session.ts'
import { rpcTransport } from './transport.ts'

interface Props {
  connection: Connection
  view: DesktopView
  runtime: DesktopRuntime
}

/** The desktop itself, in the tab: for machines where no other program is installed. */
export default function ViewerPane({ connection, view, runtime }: Props) {
  const host = useRef<HTMLDivElement>(null)
  const [problem, setProblem] = useState<string | undefined>(undefined)
  const crossings = crossingsOf(connection.actions, view.desktop?.said ?? [])
  const may = (key: string) => crossings.some((c) => c.key === key && c.decision.verdict === 'allow')
  const pastes = may('rdp:clipboard in')
  const copies = may('rdp:clipboard out')
  const session = useViewer(host, runtime, pastes || copies, setProblem)
  const refused = view.desktop?.said.findLast((s) => s.annotation.kind === 'blocked')?.annotation
  const act = (work: (() => Promise<void>) | undefined) => {
    setProblem(undefined)
    work?.().catch((error: unknown) => setProblem(error instanceof Error ? error.message : String(error)))
  }
  return (
    <div className="vwr">
      <div className="vwr__bar" role="toolbar" aria-label="Desktop keys">
        <Button size="sm" kind="ghost" disabled={session === undefined} onClick={() => session?.ctrlAltDel()}>
          Ctrl+Alt+Del
        </Button>
        <Button
          size="sm"
          kind="ghost"
          icon="clipboard"
          disabled={!pastes || !session}
          onClick={() => act(session?.paste)}
        >
          Send the clipboard
        </Button>
        <Button size="sm" kind="ghost" icon="copy" disabled={!copies || !session} onClick={() => act(session?.copy)}>
          Take the clipboard
        </Button>
        <span className="right t2 sm trunc" role="status">
          {problem ?? (refused?.kind === 'blocked' ? refused.message : '')}
        </span>
      </div>
      <div className="vwr__s" ref={host} data-keeps-keys="true">
        {session === undefined && problem === undefined && <Spinner label={`Drawing ${connection.name}`} />}
      </div>
    </div>
  )
}

/** Connects once for each session, as large as the pane is, and follows the pane's size. */
function useViewer(
  host: { current: HTMLDivElement | null },
  runtime: DesktopRuntime,
  clipboard: boolean,
  fail: (words: string) => void,
): ViewerSession | undefined {
  const { client } = useRpc()
  const [session, setSession] = useState<ViewerSession | undefined>(undefined)
  // biome-ignore lint/correctness/useExhaustiveDependencies: a session is opened once; what policy says of it does not change
  useEffect(() => {
    const element = host.current
    if (element === null) return
    let opened: ViewerSession | undefined
    let left = false
    let later: ReturnType<typeof setTimeout> | undefined
    const observer = new ResizeObserver(() => {
      clearTimeout(later)
      later = setTimeout(() => opened?.resize(element.clientWidth, element.clientHeight), resizeMs)
    })
    const open = async () => {
      const id = await runtime.handle()
      const credential = await client.desktop.password({ id })
      if (left) return
      const size = fitting(element.clientWidth, element.clientHeight)
      opened = await openViewer({
        host: element,
        transport: rpcTransport(client, id, size.width),
        credential,
        clipboard,
        size,
      })
      if (left) {
        opened.close()
        return
      }
      setSession(opened)
      observer.observe(element)
      await opened.ended
    }
    open().catch((error: unknown) => {
      if (!left) fail(error instanceof Error ? error.message : String(error))
    })
    return () => {
      left = true
      clearTimeout(later)
      observer.disconnect()
      opened?.close()
      setSession(undefined)
    }
  }, [client, runtime])
  return session
}

const resizeMs = 400
