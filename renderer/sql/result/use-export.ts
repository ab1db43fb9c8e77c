import { useCallback, useEffect, useRef, useState } from 'react'
import type { ExportEvent } from '../../../shared/rpc/contract.ts'
import { isAbort, problemOf } from '../../rpc/problem.ts'

export type ExportState =
  | { state: 'idle' }
  | { state: 'going'; rows: number; total: number }
  | { state: 'done'; words: string }
  | { state: 'failed'; words: string }

/**
 * One export of the result `of` at a time, with its progress. It goes on while the tab is in the background, and ends when the result is
 * closed, or another takes its place.
 */
export function useExport(of: string): {
  state: ExportState
  start(open: (signal: AbortSignal) => Promise<AsyncIterable<ExportEvent>>): void
  cancel(): void
} {
  const [state, setState] = useState<ExportState>({ state: 'idle' })
  const current = useRef<AbortController | undefined>(undefined)
  // biome-ignore lint/correctness/useExhaustiveDependencies: the cleanup belongs to the result
  useEffect(
    () => () => {
      current.current?.abort()
      current.current = undefined
      setState({ state: 'idle' })
    },
    [of],
  )
  const start = useCallback((open: (signal: AbortSignal) => Promise<AsyncIterable<ExportEvent>>) => {
    if (current.current !== undefined) return
    const control = new AbortController()
    current.current = control
    setState({ state: 'going', rows: 0, total: 0 })
    const set = (next: ExportState) => {
      if (current.current === control) setState(next)
    }
    follow(open, control.signal, set).finally(() => {
      if (current.current === control) current.current = undefined
    })
  }, [])
  const cancel = useCallback(() => current.current?.abort(), [])
  return { state, start, cancel }
}

const stopped = 'The export was cancelled. Nothing was saved.'

async function follow(
  open: (signal: AbortSignal) => Promise<AsyncIterable<ExportEvent>>,
  signal: AbortSignal,
  set: (state: ExportState) => void,
): Promise<void> {
  try {
    for await (const event of await open(signal)) {
      if (event.type === 'offer') takeDownload(event.path)
      else if (event.type === 'progress') set({ state: 'going', rows: event.rows, total: event.total })
      else if (event.type === 'dismissed') set({ state: 'idle' })
      else set({ state: 'done', words: `Saved ${event.file}, ${megabytes(event.bytes)}.` })
    }
    if (signal.aborted) set({ state: 'done', words: stopped })
  } catch (error) {
    const { message, hint } = problemOf(error)
    if (isAbort(error, signal)) set({ state: 'done', words: stopped })
    else set({ state: 'failed', words: `${message} ${hint ?? ''}`.trim() })
  }
}

/** The browser shell: an attachment of our own origin, which the browser saves and the page stays where it is. */
function takeDownload(path: string): void {
  const link = document.createElement('a')
  link.href = path
  link.download = ''
  link.click()
}

function megabytes(bytes: number): string {
  return bytes < 1_000_000 ? `${Math.ceil(bytes / 1000)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`
}
