import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { z } from 'zod'
import { machineSignIn, openSession } from '../../main/client.ts'
import { SqlLink } from '../../main/sql/link.ts'
import { queryRows } from '../../main/sql/query.ts'
import { readStructure } from '../../main/sql/structure.ts'
import { AuditRecord, RecordingPage, Session } from '../../shared/api/models.ts'
import { call } from '../support/access.ts'

/** A session that a client opens to read what a database holds: it can do nothing else, and is told apart from work. */
const demo = inject('demo')

let link: SqlLink
let sessionId: string

const list = async (query: string) =>
  z.array(Session).parse((await call(demo, 'engineer', 'GET', `/sessions?connection=orders-db&limit=500${query}`)).body)

/** The audit record of the session's beginning. */
async function opening(after = 0): Promise<AuditRecord | undefined> {
  const answer = await call(demo, 'auditor', 'GET', `/audit?limit=1000&after=${after}`)
  const records = z.array(AuditRecord).parse(answer.body)
  const last = records.at(-1)
  return records.find(({ subject }) => subject === sessionId) ?? (last && opening(last.seq))
}

beforeAll(async () => {
  const machine = demo.machines.engineer
  if (machine === undefined) throw new Error('no engineer')
  const me = await machineSignIn({ gateway: demo.gateway, ...machine })
  const opened = await openSession(me, 'orders-db', { door: 'desktop', annotations: 'machine', purpose: 'catalog' })
  sessionId = opened.sessionId
  link = await SqlLink.open(opened.stream, machine.clientId, 'orders')
})
afterAll(() => link?.wire.end())

describe('a session for the catalog', () => {
  test('reads tables, keys, functions and types', async () => {
    const { partial, ...structure } = await readStructure(link)
    expect(partial).toBeUndefined()
    expect(structure.columns.size).toBeGreaterThan(20)
    expect(structure.functions.length).toBeGreaterThan(500)
  })

  test.each([
    'SELECT id FROM orders LIMIT 1',
    'SELECT count(*) FROM pg_catalog.pg_stats',
    'SELECT c.relname FROM pg_catalog.pg_class c, orders o LIMIT 1',
    'SELECT (SELECT max(id) FROM orders) FROM pg_catalog.pg_namespace',
    'SELECT pg_sleep(0)',
    "SELECT pg_catalog.query_to_xml('select 1', true, true, '')",
    'SELECT rolname FROM pg_catalog.pg_roles',
    'SELECT usename, query FROM pg_catalog.pg_stat_activity',
    'SELECT 1 FROM pg_catalog.pg_class FOR UPDATE',
    'UPDATE orders SET status = status WHERE id = 1',
    'COPY orders TO STDOUT',
    'BEGIN',
    "SET application_name = 'work'",
    'PREPARE q AS SELECT id FROM orders',
    'EXPLAIN ANALYZE SELECT id FROM orders',
  ])('refuses %s', async (sql) => {
    await expect(queryRows(link, sql)).rejects.toThrow(/catalog-session/)
    expect(await queryRows(link, 'SELECT c.relname FROM pg_catalog.pg_class c LIMIT 1')).toHaveLength(1)
  })

  test('is told apart from work where sessions are listed, recorded and audited', async () => {
    expect(await list('&purpose=work')).not.toContainEqual(expect.objectContaining({ id: sessionId }))
    for (const query of ['', '&purpose=catalog']) {
      expect(await list(query)).toContainEqual(expect.objectContaining({ id: sessionId, purpose: 'catalog' }))
    }
    const recording = await call(demo, 'engineer', 'GET', `/recordings/${sessionId}`)
    expect(RecordingPage.parse(recording.body)).toMatchObject({ manifest: { purpose: 'catalog' } })
    expect(await opening()).toMatchObject({ action: 'session.open', detail: { purpose: 'catalog' } })
  })

  test('is for databases', async () => {
    const how = { door: 'desktop', annotations: 'machine', purpose: 'catalog' }
    const answer = await call(demo, 'engineer', 'POST', '/sessions', { connection: 'web-1', ...how })
    expect(answer).toMatchObject({ status: 404, body: { detail: 'web-1 has no catalog to read.' } })
  })
})
