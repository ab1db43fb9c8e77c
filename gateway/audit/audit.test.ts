import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { quiet, startTestStore, type TestStore } from '../testing/store.ts'
import { Audit } from './audit.ts'
import { canonical } from './chain.ts'

let server: TestStore
let audit: Audit

beforeAll(async () => {
  server = await startTestStore()
})
afterAll(() => server.close())
beforeEach(async () => {
  await server.clear()
  audit = await open()
})
afterEach(async () => {
  await audit.close()
  await rm(join(server.dataDir, 'audit-head.json'), { force: true })
})

function open(): Promise<Audit> {
  return Audit.open({ db: server.store.db, sealer: server.sealer, dataDir: server.dataDir, log: quiet })
}

function entry(n: number) {
  return { actor: 'ada', action: 'session.open', subject: `ses_${n}`, detail: { z: n, a: ['é', null, '\0'] } }
}

async function write(count: number): Promise<void> {
  for (let n = 1; n <= count; n++) await audit.append(entry(n))
}

/** As somebody with the whole database in their hands would. */
function tamper(statement: ReturnType<typeof sql>): Promise<void> {
  return server.store.db.transaction().execute(async (trx) => {
    await sql`set local session_replication_role = replica`.execute(trx)
    await statement.execute(trx)
  })
}

test('canonical JSON orders keys at every depth and keeps the order of lists', () => {
  expect(canonical({ b: { d: 1, c: [3, { y: 1, x: 2 }] }, a: 'é' })).toBe('{"a":"é","b":{"c":[3,{"x":2,"y":1}],"d":1}}')
})

test('records come back as they were appended, and the chain holds', async () => {
  await write(3)
  const records = await audit.list(1, 10)
  expect(records.map((record) => record.seq)).toEqual([2, 3])
  expect(records[0]).toMatchObject(entry(2))
  const result = await audit.verify(undefined)
  expect(result).toMatchObject({ ok: true, checked: 3, problems: [], lastHash: records[1]?.hash })
})

test('two gateways that append at once make one chain', async () => {
  const other = await open()
  await Promise.all(Array.from({ length: 60 }, (_, n) => (n % 2 === 0 ? audit : other).append(entry(n))))
  await other.close()
  expect(await audit.verify(undefined)).toMatchObject({ ok: true, checked: 60 })
})

test('a check can begin at a time', async () => {
  await write(3)
  const [, second] = await audit.list(0, 3)
  await tamper(sql`update audit set actor = 'mallory' where seq = 1`)
  expect(await audit.verify(undefined)).toMatchObject({ ok: false })
  await tamper(sql`update audit set at = at - interval '1 hour' where seq = 1`)
  expect(await audit.verify(second?.at)).toMatchObject({ ok: true, checked: expect.any(Number) })
})

test('while the log can’t be written, append rejects; afterwards it goes on by itself', async () => {
  await tamper(sql`alter table audit rename to audit_away`)
  await expect(audit.append(entry(1))).rejects.toThrow('The audit log can’t be written.')
  expect(audit.failure).toBeDefined()
  await tamper(sql`alter table audit_away rename to audit`)
  await expect.poll(() => audit.failure).toBeUndefined()
  expect(await audit.list(0, 10)).toMatchObject([{ action: 'audit.resumed' }])
})

describe('verify names what was done to the log', () => {
  const cases: [string, ReturnType<typeof sql>, string][] = [
    ['a name changed', sql`update audit set actor = 'grace' where seq = 4`, 'record 4: changed'],
    ['a space in the detail', sql`update audit set detail = detail || ' ' where seq = 4`, 'record 4: changed'],
    ['a time moved', sql`update audit set at = at + interval '1 ms' where seq = 4`, 'record 4: changed'],
    ['a record dropped', sql`delete from audit where seq = 4`, 'record 4: missing'],
    ['several dropped', sql`delete from audit where seq in (3, 4, 5)`, 'records 3 to 5: missing'],
    [
      'two exchanged',
      sql`update audit set seq = case seq when 4 then 5 else 4 end where seq in (4, 5)`,
      'record 4: out of order',
    ],
    [
      'one dropped and the rest moved up',
      sql`with gone as (delete from audit where seq = 4) update audit set seq = seq - 1 where seq > 4`,
      'record 4:',
    ],
    ['the end cut off', sql`delete from audit where seq > 7`, 'record 8: missing; the log ends at 7'],
    [
      'a signature changed',
      sql`update audit set signature = (select signature from audit where seq = 5) where seq = 4`,
      'record 4: its signature',
    ],
  ]
  test.each(cases)('%s', async (_name, statement, problem) => {
    await write(9)
    await audit.close()
    expect(await audit.verify(undefined)).toMatchObject({ ok: true, checked: 9 })
    await tamper(sql`alter table audit drop constraint audit_pkey`)
    await tamper(statement)
    const result = await audit.verify(undefined)
    await tamper(sql`truncate audit`)
    await tamper(sql`alter table audit add primary key (seq)`)
    expect(result.ok).toBe(false)
    expect(result.problems[0]).toContain(problem)
  })

  test('a log rewritten with another key', async () => {
    await write(2)
    await audit.close()
    await tamper(sql`truncate audit, keys`)
    const forger = await open()
    await forger.append(entry(1))
    await forger.append(entry(3))
    const result = await audit.verify(undefined)
    expect(result.ok).toBe(false)
    expect(result.problems[0]).toContain('signature is not this gateway’s')
  })

  test('the database itself refuses changes by a gateway', async () => {
    await write(1)
    await expect(sql`update audit set actor = 'x'`.execute(server.store.db)).rejects.toThrow('append only')
    await expect(sql`delete from audit`.execute(server.store.db)).rejects.toThrow('append only')
  })
})
