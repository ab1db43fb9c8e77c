import type { DesktopProgramId, DesktopState } from '../../shared/rpc/desktop.ts'
import type { Problem } from '../../shared/rpc/problem.ts'
import type { RpcClient } from '../rpc/client.ts'
import { pageId } from '../rpc/page-id.ts'
import { isAbort, problemOf } from '../rpc/problem.ts'
import { createStore, type Store } from '../rpc/store.ts'

export interface DesktopView {
  /** What the core tells; undefined until it has told anything. */
  desktop: DesktopState | undefined
  /** A call that failed: the tab could not be opened, or a window not brought to the front. */
  problem: Problem | undefined
}

/** What runs behind a desktop's tab. */
export interface DesktopRuntime {
  state: Pick<Store<DesktopView>, 'get' | 'subscribe'>
  /** A new session, with another program if one is named. */
  launch(program?: DesktopProgramId): void
  front(): void
  end(): void
  /** The core's handle of this desktop. */
  handle(): Promise<string>
  /** The one-time password, for the program that asks the person. */
  password(): Promise<string>
  close(): void
}

export function createDesktopRuntime(client: RpcClient, connection: string): DesktopRuntime {
  const state = createStore<DesktopView>({ desktop: undefined, problem: undefined })
  const life = new AbortController()
  const { signal } = life
  let opening: Promise<string> | undefined

  const tell = (error: unknown): void => {
    if (!isAbort(error, signal)) state.update((s) => ({ ...s, problem: problemOf(error) }))
  }

  /** The core's handle; asked for again where it was lost, for it ends with a sign-out. */
  function handle(program?: DesktopProgramId): Promise<string> {
    opening ??= open(program)
    return opening
  }

  async function open(program: DesktopProgramId | undefined): Promise<string> {
    const input = { connection, page: pageId, ...(program === undefined ? {} : { program }) }
    try {
      const { id } = await client.desktop.open(input, { signal })
      void follow(id)
      return id
    } catch (error) {
      opening = undefined
      throw error
    }
  }

  async function follow(id: string): Promise<void> {
    try {
      for await (const desktop of await client.desktop.attach({ id }, { signal })) {
        state.set({ desktop, problem: undefined })
      }
    } catch (error) {
      tell(error)
    }
    opening = undefined
  }

  function act(call: (id: string) => Promise<unknown>): void {
    state.update((s) => ({ ...s, problem: undefined }))
    handle().then(call).catch(tell)
  }

  handle().catch(tell)
  return {
    state,
    launch: (program) => {
      if (opening === undefined) handle(program).catch(tell)
      else act((id) => client.desktop.launch({ id, ...(program === undefined ? {} : { program }) }))
    },
    front: () => act((id) => client.desktop.front({ id })),
    end: () => act((id) => client.desktop.end({ id })),
    handle: () => handle(),
    password: async () => (await client.desktop.password({ id: await handle() })).password,
    close: () => {
      const last = opening
      life.abort()
      last
        ?.then((id) => client.desktop.close({ id }))
        .catch((error: unknown) => console.warn('Closing a desktop failed.', error))
    },
  }
}
