import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import type pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Door, dialTarget, openDoor } from './testing/door.ts'
import { startPostgres, type TestPostgres } from './testing/postgres.ts'
import { cancelAt } from './testing/wire.ts'

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
    await eventually(async () => {
      const { rows } = await postgres.direct(
        "select 1 from pg_stat_activity where query like '%pg_sleep(60)%' and state = 'active' and pid <> pg_backend_pid()",
      )
      return rows.length > 0
    })
    await cancelAt(client, door.port)
    await expect(sleep).rejects.toMatchObject({ code: '57014' })
    expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  })

  it('cancels what it is about to forward', async () => {
    const dialled: Promise<Duplex>[] = []
    const dial = (): Promise<Duplex> => {
      const one = dialTarget(postgres.target)
      dialled.push(one)
      return one
    }
    const another = await openDoor(postgres.target, { dial })
    try {
      const client = await another.client()
      await client.query('select 1')
      const recording = Promise.withResolvers<void>()
      const waits = new Promise<void>((resolve) => {
        another.people.onRecord = (event) => {
          if (event.type !== 'request') return undefined
          resolve()
          return recording.promise
        }
      })
      const sleep = client.query('select pg_sleep(60)')
      await waits
      await cancelAt(client, another.port)
      // A request that went to the target already finds nothing there.
      for (const one of dialled.slice(1)) {
        const stream = await one
        if (!stream.closed) await once(stream, 'close')
      }
      recording.resolve()
      await expect(sleep).rejects.toMatchObject({ code: '57014' })
      expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }])
    } finally {
      await another.close()
    }
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

async function eventually(check: () => Promise<boolean>): Promise<void> {
  while (!(await check())) await new Promise((resolve) => setImmediate(resolve))
}
