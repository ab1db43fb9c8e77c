import { readdir, readFile } from 'node:fs/promises'

/** Who a session costs processor time. */
const parts = ['gateway', 'workers', 'own database', 'target'] as const
export type Part = (typeof parts)[number]
export type Used = Readonly<Record<Part, number>>

interface Process {
  pid: number
  parent: number
  /** Milliseconds of its own, and of its children that have ended. */
  own: number
  ended: number
}

/** Linux counts in hundredths of a second, on every machine that it tells of here. */
const tickMs = 10

/** Milliseconds of processor time that the parts of a demo have used since it was started (proc(5); Linux alone tells). */
export async function processorMs(demo: number): Promise<Used> {
  const processes = await all()
  const childrenOf = (pid: number) => processes.filter(({ parent }) => parent === pid)
  const used = { gateway: 0, workers: 0, 'own database': 0, target: 0 }
  used.gateway = processes.find(({ pid }) => pid === demo)?.own ?? Number.NaN
  for (const child of childrenOf(demo)) {
    const part = partOf(await readFile(`/proc/${child.pid}/cmdline`, 'utf8'))
    if (part === undefined) continue
    used[part] += child.own + child.ended
    for (const { own } of childrenOf(child.pid)) used[part] += own
  }
  return used
}

/** What each part used between two looks, for each of `count`. */
export function usedEach(before: Used, after: Used, count: number): Used {
  const each = { gateway: 0, workers: 0, 'own database': 0, target: 0 }
  for (const part of parts) each[part] = (after[part] - before[part]) / count
  return each
}

/** By part, and all together. */
export function named(used: Used): readonly (readonly [string, number])[] {
  const all = parts.reduce((sum, part) => sum + used[part], 0)
  return [...parts.map((part) => [part, used[part]] as const), ['all', all]]
}

function partOf(command: string): Part | undefined {
  if (command.includes('worker.ts')) return 'workers'
  if (command.includes('/gateway/postgres')) return 'own database'
  return command.includes('/world/pg') ? 'target' : undefined
}

async function all(): Promise<Process[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number)
  const read = await Promise.allSettled(pids.map((pid) => readFile(`/proc/${pid}/stat`, 'utf8')))
  return pids.flatMap((pid, i) => {
    const stat = read[i]
    // It has ended since.
    if (stat?.status !== 'fulfilled') return []
    // The name, in brackets, may hold anything.
    const fields = stat.value.slice(stat.value.lastIndexOf(')') + 2).split(' ')
    const ms = (field: number): number => Number(fields[field]) * tickMs
    return [{ pid, parent: Number(fields[1]), own: ms(11) + ms(12), ended: ms(13) + ms(14) }]
  })
}
