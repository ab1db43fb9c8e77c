import type { Page } from 'playwright-core'
import { z } from 'zod'

/**
 * What only the page can measure about itself. The probes are text, because they run there: every key that is pressed, when rows
 * are told of on the page's WebSocket, and frames as they are drawn.
 */
const probes = `
window.probe = { keys: [], told: 0, shown: 0 };
addEventListener('keydown', (event) => {
  const begun = performance.now();
  const wait = Math.max(0, begun - event.timeStamp);
  const { port1, port2 } = new MessageChannel();
  // Comes after the key's own task and what it has queued.
  port1.onmessage = () => { window.probe.keys.push({ wait, handled: performance.now() - begun }); port1.close(); };
  port2.postMessage(0);
}, true);
const Socket = window.WebSocket;
window.WebSocket = class extends Socket {
  constructor(...args) {
    super(...args);
    this.addEventListener('message', ({ data }) => {
      const text = typeof data === 'string' ? data : new TextDecoder().decode(data);
      if (window.probe.told === 0 && text.includes('"progress"')) window.probe.told = performance.now();
    });
  }
};
window.probe.watch = (mark) => new Promise((resolve) => {
  const look = () => {
    const { told } = window.probe;
    const cell = [...document.querySelectorAll('.ag-row[row-index="0"] .ag-cell[col-id="0"]')].find((c) => c.textContent === mark);
    if (told > 0 && cell !== undefined) resolve(performance.now() - told);
    else requestAnimationFrame(look);
  };
  window.probe.told = 0;
  look();
});
window.probe.frames = () => new Promise((resolve) => {
  const gaps = [];
  let last = performance.now();
  const next = (now) => {
    gaps.push(now - last);
    last = now;
    if (window.probe.stop) resolve(gaps.slice(1)); else requestAnimationFrame(next);
  };
  window.probe.stop = false;
  requestAnimationFrame(next);
});
`

/** Puts the probes into every load of the page from now on. */
export async function watchPage(page: Page): Promise<void> {
  await page.addInitScript(probes)
}

const Keys = z.array(z.object({ wait: z.number(), handled: z.number() }))

/** Milliseconds that keys waited before the page took them, and that taking them lasted. */
export async function keyDelays(
  page: Page,
  type: () => Promise<void>,
): Promise<{ waits: number; handled: number; handledMedian: number }> {
  await page.evaluate('window.probe.keys = []')
  await type()
  const keys = Keys.parse(await page.evaluate('window.probe.keys'))
  const handled = keys.map((key) => key.handled)
  return {
    waits: percentile(
      keys.map((key) => key.wait),
      0.99,
    ),
    handled: percentile(handled, 0.99),
    handledMedian: percentile(handled, 0.5),
  }
}

/** Milliseconds from the message that tells of rows to the first of them in the page. The first column must hold the run's number. */
export async function firstRows(page: Page, run: () => Promise<void>, mark: string): Promise<number> {
  const measured = page.evaluate(`window.probe.watch(${JSON.stringify(mark)})`)
  await run()
  return z.number().parse(await measured)
}

/** Frames drawn while something is done. */
export async function frames(page: Page, act: () => Promise<void>): Promise<{ perSecond: number; p95: number }> {
  const measured = page.evaluate('window.probe.frames()')
  await act()
  await page.evaluate('window.probe.stop = true')
  const gaps = z.array(z.number()).parse(await measured)
  const total = gaps.reduce((sum, gap) => sum + gap, 0)
  return { perSecond: (gaps.length / total) * 1000, p95: percentile(gaps, 0.95) }
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}
