import type { Annotation } from '../../shared/annotation.ts'
import type { Problem } from '../../shared/rpc/contract.ts'
import type { RpcClient } from '../rpc/client.ts'
import { pageId } from '../rpc/page-id.ts'
import { isAbort, problemOf } from '../rpc/problem.ts'
import { createStore, type Store } from '../rpc/store.ts'

/** Something the gateway said in a terminal, in order. */
export interface Said {
  id: number
  at: string
  annotation: Annotation
}

export type TerminalPhase =
  | { state: 'opening' }
  | { state: 'open' }
  | { state: 'ended'; code?: number | undefined; signal?: string | undefined; problem?: Problem | undefined }

export interface TerminalState {
  phase: TerminalPhase
  said: readonly Said[]
  since: number
  /** The session that is open, or that was until it ended: its recording can be looked at. */
  sessionId?: string | undefined
  /** What was said up to this id was said in an earlier session of the tab. */
  saidBefore: number
  /** Of the screen, once there is one. */
  size?: { readonly cols: number; readonly rows: number }
}

/** Where output goes; what was written while no screen was there is kept by the core until it is read. */
export interface Screen {
  /** Resolves when the text is on the screen, so that a flood waits. */
  write(text: string): Promise<void>
  annotate(said: Said): Promise<void>
}

/** What runs behind an SSH tab. */
export interface TerminalRuntime {
  state: Pick<Store<TerminalState>, 'get' | 'subscribe'>
  /** Connects, once, with the screen's size; a second call after the end opens a new session. */
  start(screen: Screen, cols: number, rows: number): void
  write(data: string): void
  resize(cols: number, rows: number): void
  close(): void
}

/** What was said in the session that is open, or was last. */
export function saidNow({ said, saidBefore }: TerminalState): readonly Said[] {
  return said.filter(({ id }) => id > saidBefore)
}

export function createTerminalRuntime(client: Pick<RpcClient, 'terminal'>, connection: string): TerminalRuntime {
  const state = createStore<TerminalState>({ phase: { state: 'opening' }, said: [], since: Date.now(), saidBefore: 0 })
  const life = new AbortController()
  let handle: string | undefined
  let sending = Promise.resolve()
  /** What was done while the core had no name for the session yet. */
  let early: ((id: string) => Promise<unknown>)[] = []
  let count = 0

  async function perform(screen: Screen, cols: number, rows: number): Promise<void> {
    try {
      const opened = await client.terminal.open({ connection, cols, rows, page: pageId }, { signal: life.signal })
      handle = opened.id
      for (const call of early.splice(0)) send(call)
      for await (const event of await client.terminal.attach(opened, { signal: life.signal })) {
        switch (event.type) {
          case 'ready':
            state.update((s) => ({ ...s, phase: { state: 'open' }, sessionId: event.sessionId }))
            break
          case 'data':
            await screen.write(event.text)
            break
          case 'annotation': {
            count += 1
            const said: Said = { id: count, at: event.at, annotation: event.annotation }
            state.update((s) => ({ ...s, said: [...s.said, said] }))
            await screen.annotate(said)
            break
          }
          case 'exit': {
            const { type, ...phase } = event
            state.update((s) => ({ ...s, phase: { state: 'ended', ...phase } }))
            break
          }
          default:
            event satisfies never
        }
      }
      end({ code: 'session-ended', message: 'The session ended.', action: 'reconnect' })
    } catch (error) {
      if (!isAbort(error, life.signal)) end(problemOf(error))
    } finally {
      handle = undefined
      early = []
    }
  }

  function end(problem: Problem): void {
    if (state.get().phase.state !== 'ended') state.update((s) => ({ ...s, phase: { state: 'ended', problem } }))
  }

  /** In order, one at a time; what fails ends the session, which says so. */
  function send(call: (id: string) => Promise<unknown>): void {
    const id = handle
    if (id === undefined) {
      if (state.get().phase.state === 'opening') early.push(call)
      return
    }
    sending = sending
      .then(() => call(id))
      .then(
        () => undefined,
        (error: unknown) => {
          if (!isAbort(error, life.signal) && handle === id) end(problemOf(error))
        },
      )
  }

  return {
    state,
    start: (screen, cols, rows) => {
      if (handle !== undefined) return
      state.update((s) => ({
        ...s,
        phase: { state: 'opening' },
        since: Date.now(),
        size: { cols, rows },
        sessionId: undefined,
        saidBefore: count,
      }))
      void perform(screen, cols, rows)
    },
    write: (data) => send((id) => client.terminal.write({ id, data })),
    resize: (cols, rows) => {
      state.update((s) => ({ ...s, size: { cols, rows } }))
      send((id) => client.terminal.resize({ id, cols, rows }))
    },
    close: () => {
      const id = handle
      life.abort()
      if (id !== undefined) {
        client.terminal.close({ id }).catch((error: unknown) => console.warn('Closing a terminal failed.', error))
      }
    },
  }
}
