import { once } from 'node:events'
import { connect } from 'node:net'
import { Duplex, Transform } from 'node:stream'
import type pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Door, dialTarget, openDoor } from './testing/door.ts'
import { startPostgres, type TestPostgres } from './testing/postgres.ts'
import { cancelAt, hear, say, summary } from './testing/wire.ts'

let postgres: TestPostgres
let door: Door

beforeAll(async () => {
  postgres = await startPostgres()
})
afterAll(async () => postgres?.close())
beforeEach(async () => {
  door = await openDoor(postgres.target)
})
afterEach(async () => door.close())

describe('a session and its cancel key', () => {
  it('cancels at the target', async () => {
    const client = await door.client()
    await client.query('select 1')
    const sleep = client.query('select pg_sleep(60)')
    await sleeping(60)
    await cancelAt(client, door.port)
    await expect(sleep).rejects.toMatchObject({ code: '57014' })
    expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  })

  it('does not forward what is cancelled while it waits for its record', async () => {
    const client = await door.client()
    await client.query('select 1')
    const recording = Promise.withResolvers<void>()
    const waits = new Promise<void>((resolve) => {
      door.people.onRecord = (event) => {
        if (event.type !== 'request') return undefined
        resolve()
        return recording.promise
      }
    })
    const sleep = client.query('select pg_sleep(60)')
    await waits
    await cancelAt(client, door.port)
    recording.resolve()
    await expect(sleep).rejects.toMatchObject({ code: '57014', message: expect.stringContaining('nothing ran') })
    const last = door.people.events.findLast(({ type }) => type === 'complete')
    expect(last).toMatchObject({ ok: false, error: 'not run: cancelled' })
    expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  })

  it('does not forward what is cancelled while it waits for what its names mean', async () => {
    const asked = Promise.withResolvers<void>()
    const answer = Promise.withResolvers<void>()
    const slow = await openDoor(postgres.target, {
      dial: async () => {
        const socket = await dialTarget(postgres.target)
        const writable = new Transform({
          transform(chunk: Buffer, _, done) {
            if (!moved || !chunk.includes('SHOW search_path')) return done(null, chunk)
            asked.resolve()
            return void answer.promise.then(() => done(null, chunk))
          },
        })
        writable.pipe(socket)
        return Duplex.from({ readable: socket, writable })
      },
    })
    let moved = false
    try {
      const client = await slow.client()
      await client.query('set search_path to public')
      moved = true
      const sleep = client.query('select pg_sleep($1)', [60])
      await asked.promise
      await cancelAt(client, slow.port)
      answer.resolve()
      await expect(sleep).rejects.toMatchObject({ code: '57014', message: expect.stringContaining('nothing ran') })
      expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }])
    } finally {
      answer.resolve()
      await slow.close()
    }
  })

  it('cancels what runs, though what was sent behind it waits here', async () => {
    const socket = connect({ port: door.port, host: '127.0.0.1' })
    const heard: Buffer[] = []
    socket.on('data', (chunk: Buffer) => heard.push(chunk))
    const texts = ['create temp table made(); select pg_sleep(59)', 'select * from made']
    socket.write(Buffer.concat([say.startup, ...texts.map((text) => say.query(text))]))
    await sleeping(59)
    const key = hear(Buffer.concat(heard)).find(({ type }) => type === 'K')?.bytes ?? Buffer.alloc(13)
    await cancelAt({ processID: key.readInt32BE(5), secretKey: key.readInt32BE(9) }, door.port)
    socket.write(say.terminate)
    await once(socket, 'close')
    const errors = summary(hear(Buffer.concat(heard))).filter((one) => one.startsWith('E'))
    // With what runs gone, its table is too.
    expect(errors).toEqual(['E 57014', 'E 42P01'])
  })

  it('is known by the process that it has at the target', async () => {
    const client = await door.client()
    const heard = new Promise<pg.Notification>((resolve) => client.once('notification', resolve))
    await client.query('listen heard')
    await client.query('notify heard')
    const processId: unknown = Reflect.get(client, 'processID')
    expect((await client.query('select pg_backend_pid() as pid')).rows).toEqual([{ pid: processId }])
    // By it a client tells its own notifications from those of others.
    expect((await heard).processId).toBe(processId)
  })
})

/** Until the target sleeps for so many seconds. */
async function sleeping(seconds: number): Promise<void> {
  await eventually(async () => {
    const { rows } = await postgres.direct(
      `select 1 from pg_stat_activity where query like '%pg_sleep(${seconds})%' and state = 'active' and pid <> pg_backend_pid()`,
    )
    return rows.length > 0
  })
}

async function eventually(check: () => Promise<boolean>): Promise<void> {
  while (!(await check())) await new Promise((resolve) => setImmediate(resolve))
}
