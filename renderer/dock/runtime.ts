import type { DesktopRuntime } from '../rdp/runtime.ts'
import type { SqlRuntime } from '../sql/runtime.ts'
import type { TerminalRuntime } from '../terminal/runtime.ts'

/** What runs behind a tab. It outlives the tab's components, so that moving a tab or changing areas ends nothing. */
export type Runtime = SqlRuntime | TerminalRuntime | DesktopRuntime

export interface RuntimeMap {
  /** The runtime of a tab, made on first use. */
  sql(id: string, make: () => SqlRuntime): SqlRuntime
  terminal(id: string, make: () => TerminalRuntime): TerminalRuntime
  desktop(id: string, make: () => DesktopRuntime): DesktopRuntime
  get(id: string): Runtime | undefined
  /** Calls back, soon, when `get` may answer otherwise. */
  subscribe(listener: () => void): () => void
  close(id: string): void
  closeAll(): void
}

export function createRuntimes(): RuntimeMap {
  const sql = new Map<string, SqlRuntime>()
  const terminals = new Map<string, TerminalRuntime>()
  const desktops = new Map<string, DesktopRuntime>()
  const listeners = new Set<() => void>()
  // Runtimes are made while React renders, when nothing else may be told to render.
  const changed = () =>
    queueMicrotask(() => {
      for (const listener of listeners) listener()
    })
  function take<T>(map: Map<string, T>, id: string, make: () => T): T {
    const there = map.get(id)
    if (there !== undefined) return there
    const made = make()
    map.set(id, made)
    changed()
    return made
  }
  const close = (id: string) => {
    sql.get(id)?.close()
    terminals.get(id)?.close()
    desktops.get(id)?.close()
    sql.delete(id)
    terminals.delete(id)
    desktops.delete(id)
    changed()
  }
  return {
    sql: (id, make) => take(sql, id, make),
    terminal: (id, make) => take(terminals, id, make),
    desktop: (id, make) => take(desktops, id, make),
    get: (id) => sql.get(id) ?? terminals.get(id) ?? desktops.get(id),
    subscribe: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    close,
    closeAll: () => {
      for (const id of [...sql.keys(), ...terminals.keys(), ...desktops.keys()]) close(id)
    },
  }
}
