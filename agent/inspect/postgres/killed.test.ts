import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Door, openDoor } from './testing/door.ts'
import { startPostgres, type TestPostgres } from './testing/postgres.ts'
import { hear, say } from './testing/wire.ts'

/** Real processes, killed in the middle of what they do: the server's, and the client's. */
let postgres: TestPostgres
let door: Door

beforeAll(async () => {
  postgres = await startPostgres()
  await postgres.direct('set role app; create table inbox(id int, body text); reset role')
})
afterAll(async () => postgres?.close())
beforeEach(async () => {
  door = await openDoor(postgres.target)
})
afterEach(async () => door.close())

interface Talking {
  socket: Socket
  heard(): ReturnType<typeof hear>
  closed: Promise<unknown>
}

/** Signs in, says `words` and waits until the server does the last of it, which it waits in as `waits`. */
async function saying(words: readonly Buffer[], waits: string): Promise<Talking> {
  const socket = connect({ port: door.port, host: '127.0.0.1', noDelay: true })
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  socket.on('error', () => {})
  const closed = once(socket, 'close')
  const heard = () => hear(Buffer.concat(chunks))
  socket.write(Buffer.concat([say.startup, ...words]))
  await expect
    .poll(async () => {
      const { rows } = await postgres.direct(`select wait_event from pg_stat_activity where ${session}`)
      return rows.map((row: { wait_event: string }) => row.wait_event)
    })
    .toEqual([waits])
  return { socket, heard, closed }
}

/** The session through the door, at the server, when it has said something. */
const session = "usename = 'app' and application_name <> 'sallyport catalog' and query !~ '^SHOW ' and state <> 'idle'"

/** The server's process that serves it. */
async function backend(): Promise<number> {
  const { rows } = await postgres.direct(`select pid from pg_stat_activity where ${session}`)
  const [one, second] = rows
  if (one === undefined || second !== undefined) throw new Error(`${rows.length} sessions where one was expected`)
  return Number(one.pid)
}

/** Everything that was asked is on the recording, and how it ended. */
function recorded(requests: number, reason: RegExp): void {
  const { events } = door.people
  expect(events.filter((event) => event.type === 'request').length).toBe(requests)
  expect(events.at(-1)).toMatchObject({ type: 'end', reason: expect.stringMatching(reason) })
}

const sleeps = 'PgSleep'
const running: Readonly<Record<string, { words: readonly Buffer[]; waits: string; requests: number }>> = {
  'a query runs': {
    words: [say.query('begin; select id from customers limit 1; select pg_sleep(60)')],
    waits: sleeps,
    requests: 3,
  },
  'a pipeline runs': {
    words: [
      ...[say.parse('', 'select id from customers limit 1'), say.bindTo('', ''), say.execute('')],
      ...[say.parse('', 'select pg_sleep(60)'), say.bindTo('', ''), say.execute(''), say.sync],
    ],
    waits: sleeps,
    requests: 2,
  },
  'a cursor is open': {
    words: [say.query('begin; declare c cursor for select ssn from customers'), say.query('fetch 1 from c')],
    waits: 'ClientRead',
    requests: 3,
  },
  'COPY data comes in': {
    words: [say.query('copy inbox from stdin'), say.copyData('1\tone\n')],
    waits: 'ClientRead',
    requests: 1,
  },
  'COPY data goes out': {
    words: [say.query("copy (select repeat('x', 9000), pg_sleep(60) from generate_series(1, 9) i) to stdout")],
    waits: sleeps,
    requests: 1,
  },
}

describe('the server ends the session', () => {
  it.each(Object.entries(running))('while %s: in its own words', async (_name, { words, waits, requests }) => {
    const talking = await saying(words, waits)
    await postgres.direct(`select pg_terminate_backend(${await backend()})`)
    await talking.closed
    await door.sessions[0]?.done
    expect(talking.heard().at(-1)?.bytes.toString()).toMatch(/SFATAL\0VFATAL\0C57P01\0Mterminating connection/)
    recorded(requests, /^The target closed the connection/)
  })
})

describe('the client’s process is killed', () => {
  it('while a query runs: the recording says so, and the server is rid of it when that is done', async () => {
    const url = `postgresql://ada@127.0.0.1:${door.port}/orders-db`
    const psql = spawn('psql', [url, '-XAtc', 'select pg_sleep(1)'], { stdio: 'ignore' })
    await expect.poll(() => backend().catch(() => 0)).toBeGreaterThan(0)
    const pid = await backend()
    psql.kill('SIGKILL')
    await door.sessions.at(-1)?.done
    recorded(1, /^The client left/)
    const gone = async () => (await postgres.direct(`select 1 from pg_stat_activity where pid = ${pid}`)).rowCount
    await expect.poll(gone).toBe(0)
  })
})

// Last: it brings every session of the server down, the test's own among them.
describe('the server’s process is killed', () => {
  it('while COPY data comes in: who is left is told so, and the next is let in when it has recovered', async () => {
    const { words, waits, requests } = running['COPY data comes in'] ?? { words: [], waits: '', requests: 0 }
    const talking = await saying(words, waits)
    process.kill(await backend(), 'SIGKILL')
    await talking.closed
    await door.sessions[0]?.done
    const last = talking.heard().at(-1)
    expect(last?.bytes.toString()).toMatch(
      /SFATAL\0VFATAL\0CSPE01\0MThe target closed the connection. What was running may or may not have taken effect\./,
    )
    recorded(requests, /^The target closed the connection/)
    const again = async () => {
      const client = await door.client()
      return (await client.query('select 5 as five')).rows
    }
    await expect.poll(() => again().catch(() => [])).toEqual([{ five: 5 }])
  })
})
