import './grid.css'
import { useQueryClient } from '@tanstack/react-query'
import { memo, useEffect, useRef, useState } from 'react'
import type { ExplainMode } from '../../shared/rpc/editor.ts'
import { findParameters, parameterNames } from '../../shared/sql/parameters.ts'
import { splitStatements, statementAt } from '../../shared/sql/split.ts'
import { useActions } from '../actions/use-actions.ts'
import { useAnnounce } from '../decisions/announce.tsx'
import { looks } from '../decisions/words.ts'
import { isSameButText, type SqlDocument } from '../dock/workspace.ts'
import { useDesk, useInFront, useNavigation } from '../frame/desk.tsx'
import { useAside } from '../frame/use-aside.ts'
import { usePause, useRpc, useSettings } from '../rpc/context.tsx'
import { useStore } from '../rpc/store.ts'
import { Splitter } from '../theme/splitter.tsx'
import { useThemeName } from '../theme/theme.tsx'
import { createAssist } from './assist.ts'
import { type CatalogIndex, indexCatalog } from './complete/catalog.ts'
import { type Defined, Peek } from './complete/peek.tsx'
import { SqlEditor } from './editor.tsx'
import type { EditorHandle } from './editor-marks.ts'
import { fixFor, meant, nearby } from './fixes.ts'
import { Library } from './library.tsx'
import { spoken } from './marks.ts'
import { ParameterForm } from './parameter-form.tsx'
import { Results } from './results.tsx'
import type { Mark } from './run-state.ts'
import { createSqlRuntime } from './runtime.ts'
import { SqlToolbar } from './toolbar.tsx'
import { CloseGuard } from './transaction.tsx'
import { useCatalog } from './use-catalog.ts'
import { DecisionZone, requestFor, type ZoneActions } from './zones.tsx'

/** The text is Monaco's while it is written: that the workspace has heard of it draws nothing again. */
export default memo(SqlTab, (before, after) => isSameButText(before.document, after.document))

function SqlTab({ document }: { document: SqlDocument }) {
  const go = useNavigation()
  const { client, live, queries } = useRpc()
  const cache = useQueryClient()
  const catalog = useCatalog(document.connection)
  const [peek, setPeek] = useState<{ of: Defined; index: CatalogIndex } | undefined>(undefined)
  const [asking, setAsking] = useState<{ names: readonly string[]; start(): void } | undefined>(undefined)
  const [library, setLibrary] = useState(false)
  const { workspace, runtimes } = useDesk()
  const theme = useThemeName()
  const codeSize = useSettings()?.codeSize ?? 12.5
  const paused = usePause() !== undefined
  const runtime = runtimes.sql(document.id, () => createSqlRuntime(client, document))
  const state = useStore(runtime.state)
  const editor = useRef<EditorHandle | undefined>(undefined)
  const frame = useRef<HTMLDivElement>(null)
  const results = useRef<HTMLDivElement>(null)
  const enterResults = useRef<() => void>(undefined)
  const { share = 0.6 } = document
  const log = useAside()
  useNewDecisions(state.marks, editor)
  useReach(state.marks)

  const run = (range: { start: number; end: number } | undefined, explain?: ExplainMode) => {
    const handle = editor.current
    if (paused || handle === undefined || range === undefined) return
    const text = handle.text()
    const statements = splitStatements(text.slice(range.start, range.end))
    const names = parameterNames(
      statements.flatMap((s) => findParameters(text.slice(range.start + s.start, range.start + s.end))),
    )
    const start = () =>
      runtime.run({
        text,
        ...range,
        again: handle.marksIn(range.start, range.end),
        ...(explain === undefined ? {} : { explain }),
      })
    if (names.length === 0) start()
    else setAsking({ names, start })
  }
  const here = () => {
    const handle = editor.current
    return handle && (handle.selection() ?? statementAt(handle.text(), handle.cursor()))
  }
  const runHere = () => run(here())
  const explain = (mode: ExplainMode) => run(here(), mode)
  const format = () => {
    const handle = editor.current
    if (handle === undefined) return
    const text = handle.text()
    const selected = handle.selection()
    const { start, end } = selected ?? { start: 0, end: text.length }
    const cursor = handle.cursor()
    import('./format.ts')
      .then(({ formatSql, placeAfter }) => {
        if (handle.text() !== text) return
        const before = text.slice(start, end)
        const after = formatSql(before)
        handle.replace(start, end, after, start + placeAfter(before, cursor - start, after))
      })
      .catch((error: unknown) =>
        runtime.say('error', `Not formatted: ${error instanceof Error ? error.message : String(error)}`),
      )
  }
  const insert = (text: string) => {
    const handle = editor.current
    if (handle === undefined) return
    const { start, end } = handle.selection() ?? { start: handle.cursor(), end: handle.cursor() }
    const before = handle.text().slice(0, start)
    // On a line of its own, and ended, so that it stays a statement of its own.
    const lead = before === '' || before.endsWith('\n') ? '' : '\n'
    handle.replace(start, end, `${lead}${text.replace(/;?\s*$/, '')};\n`)
  }
  const runAll = () => {
    const text = editor.current?.text() ?? ''
    const statements = splitStatements(text)
    const first = statements[0]
    const last = statements.at(-1)
    run(first && last && { start: first.start, end: last.end })
  }
  const fixOf = (mark: Mark) => {
    const known = cache.getQueryData(queries.editor.catalog.queryKey({ input: { connection: document.connection } }))
    const catalog = known && indexCatalog(known)
    if (mark.blocked === undefined) return mark.error && meant(mark.text, mark.error, catalog)
    const others = nearby(editor.current?.text() ?? '', editor.current?.statementOf(mark.id)?.start ?? mark.start)
    return fixFor(mark.text, mark.blocked, others, catalog)
  }
  const zoneActions: ZoneActions = {
    connection: document.connection,
    uncommitted: state.transaction === 'open' && !state.onlyRead,
    renew: runtime.renew,
    cancel: runtime.cancel,
    dismiss: (mark) => runtime.dismiss(mark.id),
    leave: () => editor.current?.focus(),
    fixOf,
    fix: (mark, fix) => {
      const handle = editor.current
      const now = handle?.statementOf(mark.id)
      if (handle === undefined) return
      // Changed since by hand: where it is to go is not where it was.
      if (now === undefined || now.text !== mark.text) {
        handle.reveal(mark.id)
        return
      }
      handle.replace(now.start + fix.start, now.start + fix.end, fix.text)
      // What was said is of another statement now. The log keeps it.
      runtime.dismiss(mark.id)
      if (fix.open) handle.suggest()
    },
    rerun: (mark) => {
      editor.current?.reveal(mark.id)
      runHere()
    },
  }
  const commands = { run: runHere, explain: () => explain('plan'), format }
  const latest = useRef(commands)
  latest.current = commands
  const didNotRun = (mark: Mark) => mark.blocked !== undefined || mark.error !== undefined
  /** What stands under the cursor and was refused, or failed, is changed, where that would help; else it is asked for. */
  const resolve = () => {
    const handle = editor.current
    const here = handle && statementAt(handle.text(), handle.cursor())
    const ids = here && handle?.marksIn(here.start, here.end)
    const mark = state.marks.find((each) => ids?.has(each.id) && didNotRun(each))
    if (mark === undefined) return
    const fix = fixOf(mark)
    if (fix !== undefined) zoneActions.fix(mark, fix)
    else if (mark.blocked?.requestable) go.compose(requestFor(mark, document.connection))
  }
  useActions(
    {
      'sql.run': runHere,
      'sql.runAll': runAll,
      'sql.cancel': runtime.cancel,
      'sql.explain': () => explain('plan'),
      'sql.measure': () => explain('measure'),
      'sql.format': format,
      'sql.results': () => {
        if (results.current?.contains(window.document.activeElement)) editor.current?.focus()
        else enterResults.current?.()
      },
      'sql.library': () => setLibrary((open) => !open),
      'sql.commit': state.transaction === 'open' ? () => void runtime.endTransaction('commit') : undefined,
      'sql.rollback': state.transaction === 'none' ? undefined : () => void runtime.endTransaction('rollback'),
      'decision.next': () => editor.current?.step(1),
      'decision.previous': () => editor.current?.step(-1),
      'decision.resolve': state.marks.some(didNotRun) ? resolve : undefined,
    },
    useInFront(document.id),
  )
  return (
    <div className="sqltab" ref={frame}>
      <SqlToolbar
        document={document}
        state={state}
        onRun={runHere}
        onRunAll={runAll}
        onCancel={runtime.cancel}
        onFormat={format}
        onExplain={explain}
        onLibrary={() => setLibrary((open) => !open)}
        runtime={runtime}
      />
      <CloseGuard document={document} runtime={runtime} />
      <div className="sqltab__ed" style={{ flexGrow: share }}>
        <SqlEditor
          label={document.connection}
          text={document.text}
          theme={theme}
          fontSize={codeSize}
          marks={state.marks}
          writer={(read) => workspace.write(document.id, read)}
          onReady={(handle) => {
            editor.current = handle
          }}
          assist={(parts) =>
            createAssist({
              ...parts,
              client,
              live,
              connection: document.connection,
              runtime,
              catalog,
              onDefinition: (of, index) => setPeek({ of, index }),
              onCommand: (command) => latest.current[command](),
            })
          }
          zone={(mark, rewritten) => <DecisionZone mark={mark} rewritten={rewritten} actions={zoneActions} />}
        />
        {library && (
          <Library
            connection={document.connection}
            current={() => {
              const handle = editor.current
              const text = handle?.text() ?? ''
              const range = handle?.selection() ?? (handle && statementAt(text, handle.cursor()))
              return range === undefined ? '' : text.slice(range.start, range.end)
            }}
            onInsert={insert}
            onClose={() => {
              setLibrary(false)
              editor.current?.focus()
            }}
          />
        )}
        {asking && (
          <ParameterForm
            key={asking.names.join()}
            names={asking.names}
            before={runtime.options.get().values}
            onClose={() => {
              setAsking(undefined)
              editor.current?.focus()
            }}
            onRun={(values) => {
              runtime.options.update((o) => ({ ...o, values: { ...o.values, ...values } }))
              setAsking(undefined)
              editor.current?.focus()
              asking.start()
            }}
          />
        )}
        {peek && (
          <Peek
            {...peek}
            connection={document.connection}
            onClose={() => {
              setPeek(undefined)
              editor.current?.focus()
            }}
          />
        )}
      </div>
      <Splitter
        label="Height of the results"
        share={share}
        onChange={(next) => workspace.setShare(document.id, next)}
        frame={frame}
      />
      <div className="sqltab__res" ref={results} style={{ flexGrow: 1 - share }}>
        <Results
          document={document}
          runtime={runtime}
          state={state}
          log={log}
          enter={enterResults}
          onReveal={(mark, offset) => editor.current?.reveal(mark, offset)}
          placeOf={(mark, offset) => editor.current?.placeOf(mark, offset)}
          onFix={zoneActions.fix}
        />
      </div>
    </div>
  )
}

/** The gateway asks a target at most every three seconds whether it answers. */
const reachMs = 3_500

/** Where a statement did not reach its target, or does again, the tree shows it soon, and not when it is read again anyway. */
function useReach(marks: readonly Mark[]) {
  const { queries } = useRpc()
  const cache = useQueryClient()
  const away = marks.some((mark) => mark.error?.problem?.code === 'target-unreachable')
  const before = useRef(away)
  useEffect(() => {
    if (before.current === away) return
    before.current = away
    const look = () => void cache.invalidateQueries({ queryKey: queries.gateway.connections.list.key() })
    const timer = setTimeout(look, reachMs)
    return () => clearTimeout(timer)
  }, [away, cache, queries])
}

/** New blocks and holds are said in the live region. */
function useNewDecisions(marks: readonly Mark[], editor: { current: EditorHandle | undefined }) {
  const announce = useAnnounce()
  const told = useRef(new Map<string, Mark['look']>())
  useEffect(() => {
    for (const mark of marks) {
      if (told.current.get(mark.id) === mark.look) continue
      told.current.set(mark.id, mark.look)
      if (mark.look === 'failed') editor.current?.show(mark.id, mark.error?.position ?? 0)
      if (looks[mark.look].tone === 'info' || mark.look === 'allowed') continue
      announce(spoken(mark, editor.current?.lineOf(mark.id) ?? 1))
    }
  }, [marks, announce, editor])
}
