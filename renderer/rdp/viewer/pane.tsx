import './pane.css'
import { useEffect, useRef, useState } from 'react'
import type { Connection } from '../../../shared/api/models.ts'
import { Icon } from '../../decisions/icon.tsx'
import { usePlatform, useRpc } from '../../rpc/context.tsx'
import { Button, Spinner } from '../../theme/controls.tsx'
import { crossingsOf } from '../crossings.ts'
import type { DesktopRuntime, DesktopView } from '../runtime.ts'
import { listen } from './input.ts'
import { secureAttention } from './keyboard.ts'
import { ownLayout } from './layouts.ts'
import { Screen } from './screen.ts'
import { fitting, openViewer, type ViewerSession } from './session.ts'
import { rpcTransport } from './transport.ts'

interface Props {
  connection: Connection
  view: DesktopView
  runtime: DesktopRuntime
}

/** The desktop itself, in the tab: for machines where no other program is installed. */
export default function ViewerPane({ connection, view, runtime }: Props) {
  const stage = useRef<HTMLDivElement>(null)
  const canvas = useRef<HTMLCanvasElement>(null)
  const field = useRef<HTMLTextAreaElement>(null)
  const bar = useRef<HTMLDivElement>(null)
  const [said, setSaid] = useState<string | undefined>(undefined)
  const crossings = crossingsOf(connection.actions, view.desktop?.said ?? [])
  const may = (key: string) => crossings.some((c) => c.key === key && c.decision.verdict === 'allow')
  const pastes = may('rdp:clipboard in')
  const copies = may('rdp:clipboard out')
  const leave = () => bar.current?.querySelector('button')?.focus()
  const session = useViewer({ stage, canvas, field, runtime, clipboard: pastes || copies, fail: setSaid, leave })
  const refused = view.desktop?.said
    .map((s) => s.annotation)
    .filter((a) => a.kind === 'blocked')
    .at(-1)
  const words = said ?? refused?.message ?? 'Ctrl+Alt+Home leaves the desktop'
  const act = (work: Promise<string>) => {
    work.then(setSaid, (error: unknown) => setSaid(wordsOf(error)))
    field.current?.focus()
  }
  return (
    <div className="vwr">
      <div className="vwr__bar" role="toolbar" aria-label="Desktop keys" ref={bar}>
        <Button
          size="sm"
          kind="ghost"
          disabled={session === undefined}
          onClick={() => {
            session?.keys(secureAttention)
            field.current?.focus()
          }}
        >
          Ctrl+Alt+Del
        </Button>
        <Button
          size="sm"
          kind="ghost"
          icon="clipboard"
          disabled={!pastes || session === undefined}
          title={pastes ? undefined : 'Policy lets nothing be pasted into this desktop'}
          onClick={() => session && act(sendClipboard(session))}
        >
          Send the clipboard
        </Button>
        <Button
          size="sm"
          kind="ghost"
          icon="copy"
          disabled={!copies || session === undefined}
          title={copies ? undefined : 'Policy lets nothing be copied from this desktop'}
          onClick={() => session && act(takeClipboard(session))}
        >
          Take the clipboard
        </Button>
        <span className="right t2 sm row row--6 vwr__w" role="status">
          {refused !== undefined && words === refused.message && (
            <span className="fg d-blocked row">
              <Icon name="shield-x" size={14} />
            </span>
          )}
          {words}
        </span>
      </div>
      <div className="vwr__s" ref={stage} data-keeps-keys="true">
        {session === undefined && said === undefined && <Spinner label={`Drawing ${connection.name}`} />}
        <canvas ref={canvas} hidden={session === undefined} aria-label={`Screen of ${connection.name}`} role="img" />
        <textarea
          ref={field}
          className="vwr__k"
          aria-label={`Keyboard of ${connection.name}; Ctrl+Alt+Home leaves it`}
          autoCapitalize="off"
          autoComplete="off"
          spellCheck={false}
        />
      </div>
    </div>
  )
}

interface Parts {
  stage: { current: HTMLDivElement | null }
  canvas: { current: HTMLCanvasElement | null }
  field: { current: HTMLTextAreaElement | null }
  runtime: DesktopRuntime
  clipboard: boolean
  fail(words: string): void
  leave(): void
}

/** Connects once for each session, as large as the pane is, and follows the pane's size. */
function useViewer(parts: Parts): ViewerSession | undefined {
  const { client } = useRpc()
  const { os } = usePlatform()
  const [session, setSession] = useState<ViewerSession | undefined>(undefined)
  const { runtime } = parts
  // biome-ignore lint/correctness/useExhaustiveDependencies: a session is opened once; what policy says of it does not change
  useEffect(() => {
    const { clipboard, fail, leave } = parts
    const [stage, canvas, field] = [parts.stage.current, parts.canvas.current, parts.field.current]
    if (stage === null || canvas === null || field === null) return
    const life = new AbortController()
    const over = (stop: () => void): void => {
      if (life.signal.aborted) stop()
      else life.signal.addEventListener('abort', stop, { once: true })
    }
    const open = async () => {
      const id = await runtime.handle()
      const [credential, keyboard] = await Promise.all([client.desktop.password({ id }), ownLayout()])
      if (life.signal.aborted) return
      const screen = new Screen(canvas)
      const opened = await openViewer({
        transport: rpcTransport(client, id),
        credential,
        clipboard,
        keyboard,
        size: fitting(stage.clientWidth, stage.clientHeight),
        sized: (width, height) => screen.size(width, height),
        picture: (picture) => screen.draw(picture),
        cursor: (style) => {
          canvas.style.cursor = style
        },
      })
      over(() => opened.close())
      if (life.signal.aborted) return
      setSession(opened)
      // Where the desktop itself is over, the tab says so; where the viewer alone is, nothing that is shown would be true any more.
      void opened.ended.then((reason) => {
        if (life.signal.aborted) return
        life.abort()
        setSession(undefined)
        fail(`The viewer stopped: ${reason}. End the session, and open it again.`)
      })
      over(listen({ screen, field, session: opened, mac: os === 'mac', leave }))
      over(following(stage, opened))
      field.focus({ preventScroll: true })
    }
    open().catch((error: unknown) => {
      if (!life.signal.aborted) fail(wordsOf(error))
    })
    return () => {
      life.abort()
      setSession(undefined)
    }
  }, [client, runtime])
  return session
}

const resizeMs = 400

/** Asks for a desktop of the pane's size when that has changed; one that keeps its own is shown smaller. */
function following(stage: HTMLElement, session: ViewerSession): () => void {
  let later: ReturnType<typeof setTimeout> | undefined
  let first = true
  const observer = new ResizeObserver(() => {
    clearTimeout(later)
    if (!first) later = setTimeout(() => session.resize(stage.clientWidth, stage.clientHeight), resizeMs)
    first = false
  })
  observer.observe(stage)
  return () => {
    clearTimeout(later)
    observer.disconnect()
  }
}

async function sendClipboard(session: ViewerSession): Promise<string> {
  const text = await navigator.clipboard.readText()
  if (text === '') return 'There is no text on this machine’s clipboard.'
  await session.offer(text)
  return 'Sent: paste it on the desktop.'
}

async function takeClipboard(session: ViewerSession): Promise<string> {
  const text = session.copied()
  if (text === undefined) return 'Nothing was copied on the desktop yet.'
  await navigator.clipboard.writeText(text)
  return 'Copied to this machine.'
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
