import type { Environment } from '../../shared/connection.ts'
import type { RunEvent } from '../../shared/rpc/contract.ts'
import type { ExplainMode } from '../../shared/rpc/editor.ts'
import { byFrame, type Came, frame } from '../rpc/by-frame.ts'
import type { RpcClient } from '../rpc/client.ts'
import { pageId } from '../rpc/page-id.ts'
import { isAbort, problemOf } from '../rpc/problem.ts'
import { createStore, type Store } from '../rpc/store.ts'
import { beginAgain, project } from './rerun.ts'
import {
  apply,
  begin,
  broke,
  dismiss,
  noRuns,
  noSession,
  pin,
  type SqlState,
  said,
  sessionEnded,
  type Values,
  type View,
} from './run-state.ts'

export interface RunRequest {
  text: string
  /** UTF-16 offsets of what to run. */
  start: number
  end: number
  /** Marks of earlier runs on the same statements. */
  again: ReadonlySet<string>
  /** Asks for plans instead of results. */
  explain?: ExplainMode
}

/** How a tab runs, kept as long as the tab is. */
export interface RunOptions {
  commit: 'auto' | 'manual'
  stopOnError: boolean
  /** Values of parameters, as they were given last. */
  values: Values
}

/** What runs behind a SQL tab: one session, one run at a time, never sent twice. */
export interface SqlRuntime {
  state: Pick<Store<SqlState>, 'get' | 'subscribe'>
  options: Store<RunOptions>
  /** Where the cursor is in the editor; undefined before there is one. */
  cursor: Store<{ line: number; column: number } | undefined>
  /** Ends the transaction; false when it could not, which is then said among the messages. */
  endTransaction(how: 'commit' | 'rollback'): Promise<boolean>
  /** What runs next has a session of its own. Rejects where that would lose work. */
  renew(): Promise<void>
  /** Puts a line among the messages. */
  say(kind: 'info' | 'error', text: string): void
  /** Ignored while a run goes on. */
  run(request: RunRequest): void
  /** Runs a result again, as `text`, and shows it in its place. Ignored while a run goes on. */
  runAgain(key: string, text: string, view: View): void
  cancel(): void
  show(key: string): void
  /** Keeps a result when something else is run. */
  pin(key: string, on: boolean): void
  /** Takes a mark off the editor. */
  dismiss(mark: string): void
  rows: RpcClient['sql']['rows']
  export: RpcClient['sql']['export']
  saveCell: RpcClient['sql']['saveCell']
  rearrange: RpcClient['sql']['rearrange']
  close(): void
}

const manyMarks = 200
const seldomMs = 400

function applyAll(state: SqlState, run: number, events: readonly Came<RunEvent>[]): SqlState {
  return events.reduce((next, { value, at }) => apply(next, run, value, at), state)
}

export function createSqlRuntime(
  client: RpcClient,
  { connection, environment }: { connection: string; environment: Environment },
): SqlRuntime {
  const state = createStore(noRuns)
  const options = createStore<RunOptions>({
    // In production nothing is final before it was looked at.
    commit: environment === 'production' ? 'manual' : 'auto',
    stopOnError: true,
    values: {},
  })
  const cursor = createStore<{ line: number; column: number } | undefined>(undefined)
  const life = new AbortController()
  let handle: string | undefined

  async function open(): Promise<string> {
    if (handle !== undefined) return handle
    const { id } = await client.sql.open({ connection, page: pageId }, { signal: life.signal })
    handle = id
    follow(id).catch((error: unknown) => {
      if (!isAbort(error, life.signal)) console.warn('Ends of the session will not be told.', error)
    })
    return id
  }

  /** Says when the session ends by itself: killed, out of its grant, its gateway gone. */
  async function follow(id: string): Promise<void> {
    for await (const end of await client.sql.ends({ id }, { signal: life.signal })) {
      if (handle === id) state.update((s) => sessionEnded(s, end, Date.now()))
    }
  }

  /** Of a script that is longer than anybody follows the page is drawn less often: each drawing is of all that has run. */
  const nextDrawing = (): Promise<unknown> =>
    state.get().marks.length > manyMarks ? new Promise((resolve) => setTimeout(resolve, seldomMs)) : frame()

  async function perform(request: RunRequest): Promise<void> {
    const run = state.get().runs
    const stale = state.get().results.filter((result) => !result.pinned)
    state.update((s) => begin(s, request.again, Date.now(), options.get().values))
    try {
      const { text, start, end, explain } = request
      const id = await open()
      for (const result of stale) report(client.sql.release({ result: result.handle }))
      const input = { id, text, start, end, ...options.get(), ...(explain === undefined ? {} : { explain }) }
      for await (const events of byFrame(await client.sql.run(input, { signal: life.signal }), nextDrawing)) {
        state.update((s) => applyAll(s, run, events))
      }
      // A stream that ends without its last event broke off.
      if (state.get().running === run) throw new Error('The run broke off. What was sent may or may not have run.')
    } catch (error) {
      if (isAbort(error, life.signal)) return
      const problem = problemOf(error)
      // The core has forgotten the session (it was started anew): the next run opens another.
      if (problem.code === 'not-found' || problem.code === 'session-ended') handle = undefined
      state.update((s) => broke(s, problem, Date.now()))
    }
  }

  async function performAgain(key: string, text: string, view: View): Promise<void> {
    const before = state.get()
    const run = before.runs
    const result = before.results.find((each) => each.key === key)
    // Those that it was run with: others may have been given since.
    const values = result?.values ?? {}
    let old = result?.handle
    const { transaction, onlyRead, since } = before
    let sub: SqlState = { ...noRuns, running: run, runs: run, values, transaction, onlyRead, since }
    const show = () => state.update((s) => project(s, before, sub, key, view))
    state.update(beginAgain)
    try {
      const id = await open()
      const input = { id, text, start: 0, end: text.length, values, again: true as const }
      for await (const events of byFrame(await client.sql.run(input, { signal: life.signal }))) {
        sub = applyAll(sub, run, events)
        show()
        if (sub.results.length > 0 && old !== undefined) {
          report(client.sql.release({ result: old }))
          old = undefined
        }
      }
      if (sub.running === run) throw new Error('The run broke off. What was sent may or may not have run.')
    } catch (error) {
      if (isAbort(error, life.signal)) return
      const problem = problemOf(error)
      if (problem.code === 'not-found' || problem.code === 'session-ended') handle = undefined
      sub = broke(sub, problem, Date.now())
      show()
    }
  }

  const say = (kind: 'info' | 'error', text: string) => state.update((s) => said(s, kind, text, Date.now()))
  async function endTransaction(how: 'commit' | 'rollback'): Promise<boolean> {
    if (handle === undefined) return true
    try {
      const ended = await client.sql.endTransaction({ id: handle, how })
      state.update((s) => ({ ...s, transaction: ended.state, onlyRead: false }))
      say('info', how === 'commit' ? 'Committed' : 'Rolled back')
      return true
    } catch (error) {
      const problem = problemOf(error)
      if (problem.code === 'session-ended' || problem.code === 'not-found') {
        state.update((s) => ({ ...s, ...noSession }))
      }
      say('error', problem.hint === undefined ? problem.message : `${problem.message} ${problem.hint}`)
      return false
    }
  }

  return {
    state,
    options,
    cursor,
    endTransaction,
    renew: async () => {
      if (handle !== undefined) await client.sql.renew({ id: handle })
    },
    say,
    run: (request) => {
      if (state.get().running === undefined) void perform(request)
    },
    runAgain: (key, text, view) => {
      if (state.get().running === undefined) void performAgain(key, text, view)
    },
    cancel: () => {
      if (handle === undefined || state.get().running === undefined) return
      state.update((s) => ({ ...s, cancelling: true }))
      client.sql.cancel({ id: handle }).catch((error: unknown) => {
        state.update((s) => ({ ...s, cancelling: false, shown: 'messages' }))
        console.warn('The cancel did not reach the gateway.', problemOf(error).message)
      })
    },
    show: (key) => state.update((s) => ({ ...s, shown: key })),
    pin: (key, on) => state.update((s) => pin(s, key, on)),
    dismiss: (mark) => state.update((s) => dismiss(s, mark)),
    rows: client.sql.rows,
    export: client.sql.export,
    saveCell: client.sql.saveCell,
    rearrange: client.sql.rearrange,
    close: () => {
      life.abort()
      if (handle !== undefined) report(client.sql.close({ id: handle }))
    },
  }
}

/** For calls that tidy up: nobody waits for them, and what they say is for the developer. */
function report(call: Promise<unknown>): void {
  call.catch((error: unknown) => console.warn('Tidying up after a SQL tab failed.', error))
}
