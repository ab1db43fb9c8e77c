import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import type { Ready } from '../support/demo.ts'
import { directWay, inside, openDesktop, size } from '../support/desktop.ts'
import { openRdp, type RdpClient } from '../support/rdp-client.ts'
import { end } from '../support/run.ts'
import { inTurn, median, type Row } from './stats.ts'

const seconds = 3
const presses = 30
/** The letter a. */
const scanCode = 0x1e

/** Desktops: a stream of full-screen pictures, how long a key takes to show, and what a session costs in memory. */
export async function benchRdp(demo: Ready, pid: number): Promise<Row[]> {
  if (demo.targets?.['desk-1'] === undefined) throw new Error('this benchmark needs xrdp, and to be root')
  const ways = {
    direct: async <T>(measure: (client: RdpClient) => Promise<T>): Promise<T> => use(directWay(demo), measure),
    tunnel: async <T>(measure: (client: RdpClient) => Promise<T>): Promise<T> => {
      const desktop = await openDesktop(demo, 'engineer')
      try {
        return await use(desktop, measure)
      } finally {
        desktop.close()
      }
    },
  }
  // The first session starts the desktop itself.
  await ways.direct(() => delay(3_000))
  const latency = await inTurn({ direct: () => ways.direct(echo), tunnel: () => ways.tunnel(echo) }, 3)
  const before = await rss(pid)
  const moving = await animate(demo)
  const frames = await inTurn({ direct: () => ways.direct(stream), tunnel: () => ways.tunnel(stream) }, 3)
  const busy = await ways.tunnel(async (client) => {
    await stream(client)
    return rss(pid)
  })
  await end(moving)
  const rate = median(frames.direct)
  const added = median(latency.tunnel) - median(latency.direct)
  return [
    { what: 'full-screen updates, 1024 × 700', way: 'direct', value: rate, unit: 'frames/s' },
    {
      what: 'full-screen updates, 1024 × 700',
      way: 'tunnel',
      value: median(frames.tunnel),
      unit: 'frames/s',
      ratio: median(frames.tunnel) / rate,
      against: 'direct',
    },
    { what: 'a key until it shows', way: 'direct', value: median(latency.direct), unit: 'ms' },
    { what: 'a key until it shows', way: 'tunnel', value: median(latency.tunnel), unit: 'ms' },
    { what: 'a key until it shows', way: 'added', value: added, unit: 'ms' },
    {
      what: 'memory of a session that is recorded',
      way: 'tunnel',
      value: busy - before,
      unit: 'MiB',
    },
  ]
}

async function use<T>(
  way: { port: number; user: string; password: string },
  measure: (client: RdpClient) => Promise<T>,
): Promise<T> {
  const client = await openRdp(way, size)
  try {
    await client.painted()
    // Until what the desktop shows at first has come.
    await delay(1_500)
    return await measure(client)
  } finally {
    client.close()
    // xrdp lets a session go before it is taken again.
    await delay(500)
  }
}

/** Full-screen frames a second. */
async function stream(client: RdpClient): Promise<number> {
  const [pixels, began] = [client.pixels, performance.now()]
  await delay(seconds * 1_000)
  return (client.pixels - pixels) / (size.width * size.height) / ((performance.now() - began) / 1_000)
}

/** Milliseconds from a key to the first picture after it, the median of many. */
async function echo(client: RdpClient): Promise<number> {
  client.move(300, 200)
  await delay(300)
  const times: number[] = []
  for (let i = 0; i < presses; i++) {
    const began = performance.now()
    const painted = client.painted()
    client.press(scanCode)
    await Promise.race([painted, delay(1_000)])
    times.push(performance.now() - began)
    await delay(60)
  }
  return median(times)
}

/** A program on the desktop that paints all of it, again and again. */
async function animate(demo: Ready) {
  const { display, home, uid, gid } = await inside(demo)
  const colours = 'while :; do for i in 1 2 3 4 5 6 7; do printf "\\033[4%sm\\033[2J\\033[H" $i; sleep 0.01; done; done'
  const child = spawn('xterm', ['-fullscreen', '-display', display, '-e', '/bin/bash', '-c', colours], {
    env: { ...process.env, DISPLAY: display, HOME: home, XAUTHORITY: `${home}/.Xauthority` },
    uid,
    gid,
    stdio: 'ignore',
  })
  await delay(2_000)
  return child
}

/** MiB that the process of gateway and agent holds. */
async function rss(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? Number.NaN) / 1024
}
