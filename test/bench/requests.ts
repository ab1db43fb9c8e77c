import pg from 'pg'
import { z } from 'zod'
import { accessToken, sessionToken } from '../support/access.ts'
import type { Ready } from '../support/demo.ts'
import type { Row } from './stats.ts'

/**
 * How long it takes until reviewers hear of a held statement, and from an approval to the statement's result, with so many clients
 * connected to `events`. Every figure is of the slowest path: the client's send to the event's arrival at one of the streams.
 */
const streamCount = 100
const rounds = Number(process.env.SALLYPORT_BENCH_ROUNDS ?? 40)

const Event = z.object({
  type: z.literal('request'),
  request: z.object({ id: z.string(), state: z.string(), action: z.string().optional(), tables: z.array(z.string()) }),
})

interface Heard {
  id: string
  at: number
}

export async function benchRequests(demo: Ready): Promise<Row[]> {
  const abort = new AbortController()
  const token = await accessToken(demo, 'dba')
  let heard: Heard[] = []
  let wake: () => void = () => {}
  const onPending = (id: string) => {
    heard.push({ id, at: performance.now() })
    wake()
  }
  const streams = Array.from({ length: streamCount }, () => listen(demo, token, abort.signal, onPending))
  await Promise.all(streams.map(({ ready }) => ready))
  const client = await connect(demo)
  const notice: number[] = []
  const result: number[] = []
  try {
    for (let round = 0; round < rounds; round++) {
      heard = []
      const everybody = new Promise<void>((done) => {
        wake = () => {
          if (heard.length >= streamCount) done()
        }
      })
      const sent = performance.now()
      const ran = client.query(`DELETE FROM orders WHERE id = -${round + 1}`)
      await everybody
      notice.push(...heard.map(({ at }) => at - sent))
      const [first] = heard
      if (first === undefined) throw new Error('nobody heard of the request')
      const approved = performance.now()
      const answer = fetch(`${demo.gateway}/api/v1/requests/${first.id}/approve`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: '{}',
      })
      const accepted = answer.then(({ status }) => {
        if (status !== 200) throw new Error(`the approval was answered with ${status}`)
        return ran
      })
      await Promise.race([ran, accepted])
      result.push(performance.now() - approved)
      await accepted
    }
  } finally {
    await client.end()
    abort.abort()
    await Promise.all(streams.map(({ done }) => done))
  }
  const what = `with ${streamCount} event streams`
  return [
    ...figures(`held statement to reviewer's event, ${what}`, notice),
    ...figures(`approval to result, ${what}`, result),
  ]
}

function figures(what: string, values: readonly number[]): Row[] {
  const sorted = [...values].sort((a, b) => a - b)
  const quantile = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
  return [
    { what, way: 'p50', value: quantile(0.5), unit: 'ms' },
    { what, way: 'p99', value: quantile(0.99), unit: 'ms' },
  ]
}

async function connect(demo: Ready): Promise<pg.Client> {
  const { host, port, user, database, token } = await sessionToken(demo, 'oncall', 'orders-db')
  const client = new pg.Client({ host, port, user, database, password: token })
  await client.connect()
  return client
}

/** One client of `events`: plain server-sent events, as any client reads them. Hears of each request once, when it is pending. */
function listen(demo: Ready, token: string, signal: AbortSignal, onPending: (id: string) => void) {
  const { promise: ready, resolve, reject } = Promise.withResolvers<void>()
  const seen = new Set<string>()
  const read = async () => {
    const response = await fetch(`${demo.gateway}/api/v1/events`, {
      headers: { authorization: `Bearer ${token}`, accept: 'text/event-stream' },
      signal,
    })
    if (!response.ok || response.body === null) throw new Error(`events answered ${response.status}`)
    let buffer = ''
    for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
      buffer += chunk
      const messages = buffer.split('\n\n')
      buffer = messages.pop() ?? ''
      for (const message of messages) {
        const data = message.split('\n').find((line) => line.startsWith('data:'))
        if (data === undefined) continue
        resolve()
        const event = Event.safeParse(JSON.parse(data.slice(5)))
        if (!event.success || event.data.request.state !== 'pending' || seen.has(event.data.request.id)) continue
        seen.add(event.data.request.id)
        onPending(event.data.request.id)
      }
    }
  }
  const done = read().catch((error: unknown) => {
    if (!signal.aborted) reject(error instanceof Error ? error : new Error(String(error)))
  })
  return { ready, done }
}
