import type { Browser, Page } from 'playwright-core'
import { z } from 'zod'

/** Of a Chromium trace: microseconds. `tdur` is the time that the thread had a processor, which other programs do not lengthen much. */
const TraceEvent = z.object({
  name: z.string(),
  ph: z.string(),
  pid: z.number(),
  tid: z.number(),
  ts: z.number().default(0),
  dur: z.number().default(0),
  tdur: z.number().default(0),
  args: z.object({ data: z.object({ type: z.string().optional() }).optional() }).default({}),
})
type TraceEvent = z.infer<typeof TraceEvent>

/** What the page's main thread did, in milliseconds of processor time. */
export interface MainThread {
  /** The longest task between each key and the next: so long a key can have to wait for the page. */
  longestPerKey: readonly number[]
  /** Each frame's script, style, layout and painting. */
  perFrame: readonly number[]
}

/** Follows the page's main thread while something is done. */
export async function mainThread(browser: Browser, page: Page, act: () => Promise<void>): Promise<MainThread> {
  await browser.startTracing(page, { categories: ['devtools.timeline', 'toplevel'] })
  await act()
  const trace = z.object({ traceEvents: z.array(z.unknown()) }).parse(JSON.parse(String(await browser.stopTracing())))
  const events = trace.traceEvents.flatMap((event) => TraceEvent.safeParse(event).data ?? [])
  const frame = events.find((e) => e.name === 'EventDispatch')
  const own = events.filter((e) => e.ph === 'X' && e.pid === frame?.pid && e.tid === frame.tid)
  const tasks = outermost(own.filter((e) => e.name.endsWith('RunTask')))
  const keys = own.filter(isKey).sort(inTime)
  return {
    longestPerKey: keys.slice(0, -1).map((key, i) => {
      const next = keys[i + 1]?.ts ?? Number.POSITIVE_INFINITY
      const between = tasks.filter((task) => task.ts + task.dur > key.ts && task.ts < next)
      return Math.max(0, ...between.map((task) => task.tdur)) / 1000
    }),
    perFrame: tasks
      .filter((task) =>
        // Each frame ends with it, whoever asked for the frame.
        own.some((e) => e.name === 'Layerize' && e.ts >= task.ts && e.ts < task.ts + task.dur),
      )
      .map((task) => task.tdur / 1000),
  }
}

function isKey(event: TraceEvent): boolean {
  return event.name === 'EventDispatch' && event.args.data?.type === 'keydown'
}

function inTime(a: TraceEvent, b: TraceEvent): number {
  return a.ts - b.ts
}

/** Without those that are part of another. */
function outermost(tasks: readonly TraceEvent[]): TraceEvent[] {
  let end = 0
  return tasks
    .toSorted((a, b) => inTime(a, b) || b.dur - a.dur)
    .filter((task) => {
      if (task.ts < end) return false
      end = task.ts + task.dur
      return true
    })
}
