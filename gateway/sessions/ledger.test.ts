import { sql } from 'kysely'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import type { SessionEnd } from '../../shared/link.ts'
import { Audit } from '../audit/audit.ts'
import { chainStart } from '../audit/chain.ts'
import { newId } from '../secrets.ts'
import { database, databaseTarget } from '../testing/parts.ts'
import { quiet, startTestStore, type TestStore } from '../testing/store.ts'
import { noCounts } from './counts.ts'
import { type LedgerSession, SessionLedger } from './ledger.ts'

let server: TestStore
let audits: Audit[]
let hints: string[]

beforeAll(async () => {
  server = await startTestStore()
})
afterAll(() => server.close())
beforeEach(async () => {
  await server.clear()
  audits = []
  hints = []
})
afterEach(async () => {
  for (const audit of audits) await audit.close()
})

async function replica(name: string): Promise<{ audit: Audit; ledger: SessionLedger }> {
  const { store, sealer, dataDir } = server
  const audit = await Audit.open({ db: store.db, sealer, dataDir, log: quiet })
  audits.push(audit)
  const events = { hint: (type: string) => void hints.push(type) }
  return { audit, ledger: new SessionLedger({ audit, events, prepared: store.prepared, replica: name }) }
}

function session(): LedgerSession {
  const id = newId('ses')
  return {
    id,
    spec: {
      sessionId: id,
      principal: { kind: 'user', id: 'ada', name: 'Ada', groups: ['engineers'] },
      connection: database,
      target: databaseTarget,
      annotations: 'text',
      context: { sourceIp: '127.0.0.1', mfa: true },
      grants: [],
    },
    door: 'native',
    startedAt: new Date(),
    counts: { ...noCounts(), allowed: 2 },
  }
}

const end: SessionEnd = { reason: 'The client \0left.', bytesIn: 3, bytesOut: 4 }
const rows = () => server.store.db.selectFrom('sessions').selectAll().orderBy('id').execute()

test('replicas that begin and end sessions at once, beside other records, make one chain', async () => {
  const [one, other] = await Promise.all([replica('one'), replica('other')])
  const note = { actor: 'ada', action: 'login', subject: 'ada', detail: {} }
  await Promise.all(
    Array.from({ length: 40 }, async (_, n) => {
      const { audit, ledger } = n % 2 === 0 ? one : other
      const mine = session()
      await ledger.begun(mine)
      await audit.append(note)
      await ledger.ended(mine, end, undefined)
    }),
  )
  expect(await one.audit.verify(undefined)).toMatchObject({ ok: true, checked: 120, problems: [] })
  const stored = await rows()
  expect(stored).toHaveLength(40)
  expect(
    new Set(stored.map(({ state, replica, allowed, bytes_out }) => ({ state, replica, allowed, bytes_out }))),
  ).toEqual(new Set(stored.map(({ replica }) => ({ state: 'ended', replica, allowed: 2, bytes_out: 4 }))))
  const records = await one.audit.list(0, 200)
  for (const { id } of stored) {
    const actions = records.filter(({ subject }) => subject === id).map(({ action }) => action)
    expect(actions).toEqual(['session.open', 'session.end'])
  }
  const told = await server.store.db.selectFrom('events').select('payload').execute()
  expect(told).toHaveLength(80)
})

test('what would not follow the newest record is not stored, nor anything with it', async () => {
  const { audit, ledger } = await replica('one')
  await ledger.begun(session())
  const late = {
    seq: 2,
    at: new Date(),
    actor: '',
    action: '',
    subject: '',
    detail: '',
    previous: '',
    hash: '',
    signature: '',
  }
  const opened = { ...(await rows())[0], id: newId('ses') }
  const after = (seq: number, hash: string) =>
    sql<{ newest_seq: number; newest_hash: string }>`
      select * from record_sessions(${seq}, ${hash}, ${JSON.stringify([late])}, ${JSON.stringify([opened])}, '[]', '[]')
    `.execute(server.store.db)
  const [newest] = await audit.list(0, 10)
  const expected = [{ newest_seq: 1, newest_hash: newest?.hash }]
  expect((await after(0, chainStart)).rows).toEqual(expected)
  expect((await after(1, chainStart)).rows).toEqual(expected)
  expect(await rows()).toHaveLength(1)
  expect(await audit.list(0, 10)).toHaveLength(1)
})

test('readers are woken at once, and then once in a while for all that happened', async () => {
  const { store } = server
  const heard: string[] = []
  const stop = await store.listener.subscribe('sallyport_events', (type) => heard.push(type))
  const { ledger } = await replica('one')
  await ledger.begun(session())
  await expect.poll(() => heard).toEqual(['session'])
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  await ledger.begun(session())
  await ledger.begun(session())
  expect(hints).toEqual([])
  vi.advanceTimersByTime(50)
  expect(hints).toEqual(['session'])
  vi.advanceTimersByTime(1_000)
  expect(hints).toEqual(['session'])
  vi.useRealTimers()
  // Nothing else woke them: NOTIFY comes in order, and this is the next.
  await store.listener.notify('sallyport_events', 'end')
  await expect.poll(() => heard).toEqual(['session', 'end'])
  stop()
})

test('a session that can’t be stored does not keep the others from it', async () => {
  const { audit, ledger } = await replica('one')
  const twice = session()
  const outcomes = await Promise.allSettled([session(), twice, twice, session()].map((each) => ledger.begun(each)))
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled'])
  expect(await rows()).toHaveLength(3)
  expect(await audit.verify(undefined)).toMatchObject({ ok: true, checked: 3 })
})
