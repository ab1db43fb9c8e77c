import { useEffect, useState } from 'react'
import type { Problem } from '../../../shared/rpc/contract.ts'
import type { RpcClient } from '../../rpc/client.ts'
import { useRpc } from '../../rpc/context.tsx'
import { isAbort, problemOf } from '../../rpc/problem.ts'
import { extend, type Outline } from './keyframes.ts'

const pageEvents = 1000
const liveEveryMs = 3_000

/** Reads a desktop's recording from its start, page by page, and keeps what is not a picture; of a live one, what comes. */
export function useOutline(id: string): { outline: Outline | undefined; problem: Problem | undefined } {
  const { client } = useRpc()
  const [outline, setOutline] = useState<Outline | undefined>(undefined)
  const [problem, setProblem] = useState<Problem | undefined>(undefined)
  useEffect(() => {
    const life = new AbortController()
    setOutline(undefined)
    setProblem(undefined)
    readOn(client, id, setOutline, life.signal).catch((error: unknown) => {
      if (!isAbort(error, life.signal)) setProblem(problemOf(error))
    })
    return () => life.abort()
  }, [client, id])
  return { outline, problem }
}

async function readOn(
  client: RpcClient,
  id: string,
  tell: (outline: Outline) => void,
  signal: AbortSignal,
): Promise<void> {
  let outline: Outline | undefined
  for (;;) {
    const after: number = outline?.read ?? 0
    const page = await client.gateway.recordings.read({ id, after, limit: pageEvents }, { signal })
    outline = extend(outline, page)
    tell(outline)
    if (page.next !== undefined && page.events.length > 0) continue
    if (!page.live) return
    await pause(liveEveryMs, signal)
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer)
        reject(signal.reason)
      },
      { once: true },
    )
  })
}
