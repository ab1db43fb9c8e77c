import type { SqlCatalog } from '../../shared/rpc/editor.ts'
import type { RpcClient } from '../rpc/client.ts'
import type { Live } from '../rpc/live.ts'
import { type CatalogIndex, indexCatalog } from './complete/catalog.ts'
import type { Defined } from './complete/peek.tsx'
import { findAt, provide } from './complete/providers.ts'
import type { Assistance, EditorParts } from './editor.tsx'
import { monaco } from './monaco.ts'
import { PreflightPainter } from './preflight/painter.ts'
import { createSplitter } from './preflight/splitter.ts'
import { verdictOf } from './preflight/verdict.ts'
import type { SqlState } from './run-state.ts'
import type { SqlRuntime } from './runtime.ts'

interface Options extends EditorParts {
  client: RpcClient
  live: Live
  connection: string
  runtime: SqlRuntime
  /** The connection's catalog, kept by whoever gives it; `refresh` reads the database again. */
  catalog(refresh: boolean): Promise<SqlCatalog>
  /** A definition was asked for. */
  onDefinition(of: Defined, index: CatalogIndex): void
  /** One was chosen in the editor's own menu. */
  onCommand(command: (typeof commands)[number]['id']): void
}

/** What the tab does with the text. */
const commands = [
  { id: 'run', label: 'Run statement' },
  { id: 'explain', label: 'Explain the plan' },
  { id: 'format', label: 'Format' },
] as const

const retryMs = 10_000
/** One worker for all tabs, as Monaco has one. */
const splitter = createSplitter()

/** Everything that helps while writing in one editor, until it is gone. */
export function createAssist({
  client,
  live,
  connection,
  runtime,
  catalog,
  onDefinition,
  onCommand,
  ...parts
}: Options): Assistance {
  const { editor, model } = parts
  const index = indexed(catalog)
  const preflight = new PreflightPainter({
    ...parts,
    nearest: splitter.nearest,
    check: (statements, signal) => client.editor.check({ statements: [...statements] }, { signal }),
    explain: async (text, signal) => verdictOf(await client.gateway.explain({ connection, text }, { signal })),
    onStale: (ids) => {
      for (const id of ids) runtime.dismiss(id)
    },
  })
  const providers = provide(model, index)
  // Read in the background, so that it is there with the first word.
  void index()
  const define = async () => {
    const known = await index()
    const position = editor.getPosition()
    const found = known && position && !model.isDisposed() ? findAt(model, position, known) : undefined
    if (known === undefined || found === undefined) return
    const { meaning, base } = found
    switch (meaning.kind) {
      case 'table':
      case 'function':
      case 'type':
        return onDefinition(meaning, known)
      case 'column': {
        const { table, source } = meaning.column
        if (table !== undefined) onDefinition({ kind: 'table', table }, known)
        else show(editor, base + source.at.start)
        return
      }
      case 'source': {
        const { source, table } = meaning
        // At the alias itself there is nowhere nearer to go than its table.
        if (found.start === source.at.start && table !== undefined) onDefinition({ kind: 'table', table }, known)
        else show(editor, base + source.at.start)
        return
      }
      default:
        meaning satisfies never
    }
  }
  const action = editor.addAction({
    id: 'sallyport.definition',
    label: 'Go to definition',
    keybindings: [monaco.KeyCode.F12],
    contextMenuGroupId: 'navigation',
    run: define,
  })
  const menu = commands.map(({ id, label }, i) =>
    editor.addAction({
      id: `sallyport.${id}`,
      label,
      contextMenuGroupId: '1_run',
      contextMenuOrder: i,
      run: () => onCommand(id),
    }),
  )
  const wrap = editor.addAction({
    id: 'sallyport.wrap',
    label: 'Wrap long lines',
    keybindings: [monaco.KeyMod.Alt | monaco.KeyCode.KeyZ],
    contextMenuGroupId: 'view',
    run: () => {
      const on = editor.getOption(monaco.editor.EditorOption.wordWrap) !== 'off'
      editor.updateOptions({ wordWrap: on ? 'off' : 'on' })
    },
  })
  const stopCursor = followCursor(editor, runtime.cursor)
  const click = editor.onMouseUp(({ event, target }) => {
    const isText = target.type === monaco.editor.MouseTargetType.CONTENT_TEXT
    if (isText && (event.ctrlKey || event.metaKey) && event.leftButton) void define()
  })
  // What may be done has changed, for this person or for all.
  const stopEvents = live.onEvent((event) => {
    const mine = event.type === 'grant' && event.grant.connection === connection
    if (event.type === 'policy' || event.type === 'hello' || mine) preflight.forget()
  })
  // A second factor may lift what was foretold.
  let confirming = false
  const stopAuth = live.auth.subscribe(() => {
    const auth = live.auth.get()
    const now = auth?.state === 'signed-in' && auth.confirming !== undefined
    if (confirming && !now) preflight.forget()
    confirming = now
  })
  const stopLists = onBegin(runtime.state, () => {
    editor.trigger('sallyport', 'hideSuggestWidget', {})
    editor.trigger('sallyport', 'closeParameterHints', {})
  })
  const stopRuns = onDdl(runtime.state, () => {
    catalog(true).then(
      () => preflight.forget(),
      (error: unknown) => console.warn('The catalog could not be read again.', error),
    )
  })
  return {
    refresh: () => preflight.refresh(),
    dispose: () => {
      stopEvents()
      stopAuth()
      stopLists()
      stopRuns()
      stopCursor()
      action.dispose()
      wrap.dispose()
      for (const item of menu) item.dispose()
      click.dispose()
      providers.dispose()
      preflight.dispose()
    },
  }
}

const cursorMs = 100

/** Keeps the store at where the cursor is, a moment after it moved: no key waits for it. */
function followCursor(editor: monaco.editor.IStandaloneCodeEditor, cursor: SqlRuntime['cursor']): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined
  const tell = () => {
    timer = undefined
    const at = editor.getPosition()
    if (at !== null) cursor.set({ line: at.lineNumber, column: at.column })
  }
  tell()
  const moved = editor.onDidChangeCursorPosition(() => {
    timer ??= setTimeout(tell, cursorMs)
  })
  return () => {
    clearTimeout(timer)
    moved.dispose()
  }
}

function show(editor: monaco.editor.IStandaloneCodeEditor, offset: number): void {
  const position = editor.getModel()?.getPositionAt(offset)
  if (position === undefined) return
  editor.setPosition(position)
  editor.revealPositionInCenterIfOutsideViewport(position)
  editor.focus()
}

/** The index of the catalog as it is now; undefined while it can't be had, which is tried again after a while. */
function indexed(catalog: (refresh: boolean) => Promise<SqlCatalog>): () => Promise<CatalogIndex | undefined> {
  const made = new WeakMap<SqlCatalog, CatalogIndex>()
  let quietUntil = 0
  return async () => {
    if (performance.now() < quietUntil) return undefined
    try {
      const read = await catalog(false)
      const index = made.get(read) ?? indexCatalog(read)
      made.set(read, index)
      return index
    } catch (error) {
      quietUntil = performance.now() + retryMs
      console.warn('The catalog could not be read.', error)
      return undefined
    }
  }
}

/** Calls back when a run begins: what was offered while writing is over then. */
function onBegin(state: SqlRuntime['state'], begun: () => void): () => void {
  let runs = state.get().runs
  return state.subscribe(() => {
    const now = state.get().runs
    if (now !== runs) begun()
    runs = now
  })
}

/** Calls back when a statement has changed what the database holds. */
function onDdl(state: SqlRuntime['state'], changed: () => void): () => void {
  const made = ({ marks }: SqlState) =>
    marks.filter((mark) => /^(?:CREATE|ALTER|DROP|IMPORT)\b/.test(mark.tag ?? '')).map((mark) => mark.id)
  let seen = new Set(made(state.get()))
  return state.subscribe(() => {
    const now = made(state.get())
    const fresh = now.some((id) => !seen.has(id))
    seen = new Set(now)
    if (fresh) changed()
  })
}
