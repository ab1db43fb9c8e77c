import { readFile } from 'node:fs/promises'
import type { Browser, CDPSession, Page } from 'playwright-core'

export interface PageMetrics {
  /** Bytes of JavaScript heap in use, after a collection. */
  heap: number
  nodes: number
  listeners: number
}

export type Meter = () => Promise<PageMetrics>

/** What a page holds. Chromium's own counters, after its garbage is collected. */
export async function meterOf(page: Page): Promise<Meter> {
  const cdp = await page.context().newCDPSession(page)
  await cdp.send('Performance.enable')
  return async () => {
    // Twice: what the first collection lets go of may hold more.
    await collect(cdp)
    await collect(cdp)
    const { metrics } = await cdp.send('Performance.getMetrics')
    const value = (name: string): number => metrics.find((metric) => metric.name === name)?.value ?? Number.NaN
    return { heap: value('JSHeapUsedSize'), nodes: value('Nodes'), listeners: value('JSEventListeners') }
  }
}

async function collect(cdp: CDPSession): Promise<void> {
  await cdp.send('HeapProfiler.collectGarbage')
}

/** Bytes of memory that a process has for itself and shares with none (Linux); undefined elsewhere. */
export async function privateBytes(pid: number): Promise<number | undefined> {
  try {
    const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8')
    const pages = [...text.matchAll(/^Private_(?:Clean|Dirty):\s+(\d+) kB/gm)]
    return pages.reduce((sum, [, kib]) => sum + Number(kib) * 1024, 0)
  } catch {
    return undefined
  }
}

/** Processes that draw pages. */
export async function rendererPids(browser: Browser): Promise<number[]> {
  const cdp = await browser.newBrowserCDPSession()
  const { processInfo } = await cdp.send('SystemInfo.getProcessInfo')
  await cdp.detach()
  return processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => id)
}

/** File descriptors of a process that lead to files of a folder, deleted or not (Linux). */
export async function openSpools(pid: number): Promise<number> {
  const { readdir, readlink } = await import('node:fs/promises')
  const names = await readdir(`/proc/${pid}/fd`)
  const targets = await Promise.all(names.map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')))
  return targets.filter((target) => target.includes('.rows')).length
}
