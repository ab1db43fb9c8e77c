import { readFile } from 'node:fs/promises'

/** Resident memory of these processes together, in MiB (`VmRSS`, proc(5)). */
export async function residentMiB(pids: readonly number[]): Promise<number> {
  const each = await Promise.all(
    pids.map(async (pid) => {
      const status = await readFile(`/proc/${pid}/status`, 'utf8')
      const kib = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]
      if (kib === undefined) throw new Error(`process ${pid} tells no resident memory`)
      return Number(kib) / 1024
    }),
  )
  return each.reduce((sum, mib) => sum + mib, 0)
}

/** The most that processes had together while `act` ran, in MiB, looked at twenty times a second. */
export async function peakMiB(pids: readonly number[], act: () => Promise<unknown>): Promise<number> {
  let peak = await residentMiB(pids)
  const look = setInterval(() => {
    residentMiB(pids).then(
      (now) => {
        peak = Math.max(peak, now)
      },
      // A process has ended; `act` says so better.
      () => clearInterval(look),
    )
  }, 50)
  try {
    await act()
  } finally {
    clearInterval(look)
  }
  return Math.max(peak, await residentMiB(pids))
}
