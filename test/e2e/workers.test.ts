import { once } from 'node:events'
import { connect } from 'node:net'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { call, sessionToken } from '../support/access.ts'
import { sallyport } from '../support/cli.ts'
import { type RunningDemo, startDemo } from '../support/demo.ts'
import { workersOf } from '../support/workers.ts'

/** Native PostgreSQL sessions are spread over worker processes; one of them is killed here. A demo of its own, with two. */
const Sessions = z.array(
  z.object({
    id: z.string(),
    state: z.string(),
    endReason: z.string().optional(),
    counts: z.object({ masked: z.number() }),
  }),
)
let demo: RunningDemo

beforeAll(async () => {
  demo = await startDemo({ workers: 2 })
})

afterAll(() => demo?.stop())

async function open(connection = 'orders-db'): Promise<{ client: pg.Client; lost: Promise<void> }> {
  const { host, port, user, database, token } = await sessionToken(demo.ready, 'engineer', connection)
  const client = new pg.Client({ host, port, user, database: database ?? 'orders', password: token, ssl: false })
  client.on('error', () => {})
  const lost = new Promise<void>((done) => client.once('end', done))
  await client.connect()
  return { client, lost }
}

const masked = "SELECT email FROM customers WHERE id = 42 AND name <> 'spread'"

async function sessions(): Promise<z.infer<typeof Sessions>> {
  const { body } = await call(demo.ready, 'auditor', 'GET', '/sessions?limit=50')
  return Sessions.parse(body)
}

test.skipIf(process.platform !== 'linux')(
  'a worker that is killed takes its own sessions along, and nothing else',
  async () => {
    const opened = await Promise.all([open(), open(), open(), open()])
    for (const { client } of opened) expect((await client.query(masked)).rows).toHaveLength(1)
    const [first, second, ...more] = await workersOf(demo.pid)
    expect(more).toEqual([])
    if (first === undefined || second === undefined) throw new Error('there are not two workers')

    process.kill(first, 'SIGKILL')
    const waiting = new Set(opened)
    await Promise.race(opened.map(({ lost }) => lost))
    await expect.poll(async () => (await sessions()).filter(({ state }) => state === 'ended').length).toBe(2)
    for (const one of opened) {
      const gone = await Promise.race([one.lost.then(() => true), one.client.query(masked).then(() => false)]).catch(
        () => true,
      )
      if (gone) waiting.delete(one)
    }
    expect(waiting.size).toBe(2)

    const ended = (await sessions()).filter(({ state }) => state === 'ended')
    for (const { id, endReason } of ended) {
      expect(endReason).toBe('The process of the gateway that served this session stopped.')
      const replayed = await sallyport(demo.ready, 'auditor', ['replay', id])
      expect(replayed.stdout).toContain('spread')
      const { body } = await call(demo.ready, 'auditor', 'GET', `/recordings/${id}/verify`)
      expect(body).toMatchObject({ ok: true })
    }

    // Another takes its place, and serves.
    await expect.poll(async () => (await workersOf(demo.pid)).length).toBe(2)
    const again = await Promise.all([open(), open()])
    for (const { client } of again) expect((await client.query(masked)).rows).toHaveLength(1)
    for (const { client } of [...waiting, ...again]) await client.end()
    await expect.poll(async () => (await sessions()).every(({ state }) => state === 'ended')).toBe(true)
    const counted = (await sessions()).map(({ counts }) => counts.masked)
    expect(counted.sort()).toEqual([1, 1, 1, 1, 2, 2])
  },
)

test('a cancel request finds its session, whichever process it reaches', async () => {
  const opened = await Promise.all([open(), open()])
  for (const { client } of opened) {
    const failed = expect(client.query('SELECT pg_sleep(30)')).rejects.toMatchObject({ code: '57014' })
    await expect.poll(running).toBe(1)
    await cancel(client)
    await failed
  }
  for (const { client } of opened) await client.end()
})

test('a table that is made anew through one worker is read as it is now through the other', async () => {
  const [one, other] = await Promise.all([open('analytics-db'), open('analytics-db')])
  await one.client.query('CREATE TABLE spread (a int)')
  expect((await other.client.query('SELECT * FROM spread')).fields).toMatchObject([{ name: 'a' }])
  await one.client.query('BEGIN')
  await one.client.query('DROP TABLE spread')
  await one.client.query('CREATE TABLE spread (b text, c int)')
  await one.client.query('COMMIT')
  const { fields } = await other.client.query('SELECT * FROM spread')
  expect(fields).toMatchObject([{ name: 'b' }, { name: 'c' }])
  await one.client.query('DROP TABLE spread')
  await Promise.all([one.client.end(), other.client.end()])
})

/** Sends a CancelRequest with the client's key over a connection of its own, which the gateway closes. */
async function cancel(client: pg.Client): Promise<void> {
  const packet = Buffer.alloc(16)
  packet.writeInt32BE(16, 0)
  packet.writeInt32BE(80_877_102, 4)
  packet.writeInt32BE(Number(Reflect.get(client, 'processID')), 8)
  packet.writeInt32BE(Number(Reflect.get(client, 'secretKey')), 12)
  const socket = connect(client.port, client.host)
  socket.end(packet)
  socket.resume()
  await once(socket, 'close')
}

/** How many of the statements that are to be cancelled run at the target. */
async function running(): Promise<number> {
  const client = new pg.Client({ connectionString: demo.ready.targets?.['orders-db'] })
  await client.connect()
  const sql = "SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'SELECT pg_sleep%'"
  const { rows } = await client.query(sql)
  await client.end()
  return rows.length
}
