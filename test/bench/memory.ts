import { readFile } from 'node:fs/promises'

/** Resident memory of a process in MiB (`VmRSS`, proc(5)). Linux alone tells. */
export async function residentMiB(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]
  if (kib === undefined) throw new Error(`process ${pid} tells no resident memory`)
  return Number(kib) / 1024
}

/** The most that a process had while `act` ran, in MiB, looked at twenty times a second. */
export async function peakMiB(pid: number, act: () => Promise<unknown>): Promise<number> {
  let peak = await residentMiB(pid)
  const look = setInterval(() => {
    residentMiB(pid).then(
      (now) => {
        peak = Math.max(peak, now)
      },
      // The process has ended; `act` says so better.
      () => clearInterval(look),
    )
  }, 50)
  try {
    await act()
  } finally {
    clearInterval(look)
  }
  return Math.max(peak, await residentMiB(pid))
}
