import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Grant } from '../shared/decision.ts'
import type { SessionSpec } from '../shared/link.ts'
import { SessionPolicy } from './decide.ts'
import { explainSql, schemaOf } from './explain.ts'
import type { CatalogRelation } from './inspect/postgres/analysis.ts'
import { Snapshot, type TargetCatalog } from './inspect/postgres/catalog/catalog.ts'
import { loadParser } from './inspect/postgres/parser.ts'
import { SaltedPasswords } from './inspect/postgres/start/scram.ts'
import { nowhere } from './inspect/postgres/testing/nowhere.ts'
import { Policies } from './policies.ts'
import { inspectorPort } from './session.ts'

const relation = (
  oid: number,
  schema: string,
  name: string,
  columns: readonly string[],
  more: Partial<CatalogRelation> = {},
): CatalogRelation => ({
  oid,
  schema,
  name,
  kind: 'table',
  columns: columns.map((column, i) => ({ name: column, attnum: i + 1, typeOid: 25, typeName: 'text' })),
  parents: [],
  hasRules: false,
  ...more,
})
const catalog = new Snapshot(1, 'orders', {
  own: {
    functions: [],
    relations: [
      relation(1, 'public', 'customers', ['id', 'name', 'email']),
      relation(2, 'public', 'contacts', ['who', 'mail'], {
        kind: 'view',
        definition: 'SELECT customers.name AS who, customers.email AS mail FROM public.customers',
      }),
      relation(3, 'pg_catalog', 'pg_class', ['oid']),
      relation(4, 'public', 'customers_id_seq', ['last_value'], { kind: 'sequence' }),
    ],
  },
})

const unmask: Grant = {
  id: 'g',
  principalId: 'ada',
  connection: 'orders-db',
  actions: ['unmask'],
  dataClasses: [],
  startsAt: new Date(Date.now() - 60_000).toISOString(),
  endsAt: new Date(Date.now() + 60_000).toISOString(),
  requestId: 'r',
  approvedBy: ['grace'],
}

let policies: Policies
const spec = (grants: readonly Grant[]): SessionSpec => ({
  sessionId: 'ask',
  annotations: 'text',
  principal: { kind: 'user', id: 'ada', name: 'Ada', groups: [] },
  connection: { name: 'orders-db', kind: 'postgres', environment: 'production', tags: [] },
  context: { sourceIp: '127.0.0.1', mfa: false },
  grants,
  target: nowhere,
})
const policyWith = (grants: readonly Grant[]) => new SessionPolicy(spec(grants), policies, () => '')

/** The catalog as a target's, which finds nothing new. */
const target: TargetCatalog = {
  current: catalog,
  salted: new SaltedPasswords(),
  outdated: false,
  ready: async () => catalog,
  refresh: async () => catalog,
  outdate: () => undefined,
  outdatedBut: () => false,
  committing: () => () => undefined,
  keepFresh: () => undefined,
}

beforeAll(loadParser)
beforeEach(async () => {
  policies = new Policies()
  const cedar = `@id("read") permit(principal, action in [Action::"connect", Action::"sql:read", Action::"sql:write"], resource);
    @id("where") @reason("Add a WHERE.") forbid(principal, action in Action::"sql:write", resource) when { !context.hasWhere };
    @id("pii") @approve("dba") permit(principal, action == Action::"unmask", resource);`
  const load = await policies.push([
    { path: 'a.cedar', text: cedar },
    { path: 'classification.yaml', text: "classes: { email: { mask: partial, columns: ['*.customers.email'] } }" },
  ])
  expect(load.ok).toBe(true)
})

describe('the schema as a person sees it', () => {
  test('names what is masked for them, in views too, and leaves the system out', () => {
    const tables = schemaOf(catalog, policyWith([]))
    expect(tables.map((table) => [table.name, table.kind])).toEqual([
      ['contacts', 'view'],
      ['customers', 'table'],
    ])
    const masked = tables.map((table) => table.columns.filter((column) => column.masked).map((column) => column.name))
    expect(masked).toEqual([['mail'], ['email']])
    expect(tables[1]?.columns[2]).toEqual({ name: 'email', type: 'text', dataClass: 'email', masked: true })
  })

  test('shows a class in the clear where a grant does', () => {
    const [, customers] = schemaOf(catalog, policyWith([unmask]))
    expect(customers?.columns[2]).toEqual({ name: 'email', type: 'text', dataClass: 'email', masked: false })
  })
})

describe('an explanation', () => {
  const explain = async (
    sql: string,
    grants: readonly Grant[] = [],
    more: { path?: string; conforming?: string } = {},
  ) => {
    const policy = policyWith(grants)
    const port = inspectorPort(spec(grants), policy, {
      record: () => undefined,
      hold: () => Promise.reject(new Error('nobody is asked')),
      started: () => undefined,
    })
    const parameters = new Map([
      ['server_encoding', 'UTF8'],
      ['standard_conforming_strings', more.conforming ?? 'on'],
    ])
    const beginning = { searchPath: more.path ?? '"$user", public', role: 'none', parameters }
    const { statements } = await explainSql(sql, { policy, port, catalog: target, beginning, account: 'app' })
    return statements
  }

  test('says what each statement would be', async () => {
    const sql = 'select name, email from customers; delete from customers'
    const [read, write] = await explain(sql)
    expect(read).toMatchObject({ action: 'sql:select', decision: { verdict: 'allow' }, tables: ['public.customers'] })
    expect(read?.masks).toMatchObject([{ label: 'email', dataClass: 'email', position: 1, requestable: true }])
    expect(sql.slice(write?.start, write?.end)).toBe('delete from customers')
    expect(write).toMatchObject({ action: 'sql:delete', decision: { verdict: 'block', policy: { id: 'where' } } })
  })

  test('knows of grants', async () => {
    expect((await explain('select email from customers', [unmask]))[0]?.masks).toEqual([])
  })

  test('says why text is no SQL', async () => {
    const [one] = await explain('selct 1')
    expect(one).toMatchObject({ action: 'sql:unknown', decision: { verdict: 'block' }, tables: [] })
    expect(one?.detail).toMatch(/syntax error/)
  })

  test('goes by what a session begins with, and by what each statement does to the next', async () => {
    const blocked = (id: string) => ({ decision: { verdict: 'block', policy: { id } } })
    expect((await explain('select email from customers', [], { path: 'other' }))[0]).toMatchObject(
      blocked('sallyport/unprovable'),
    )
    const moved = await explain('set search_path = other; select email from customers')
    expect(moved[1]).toMatchObject(blocked('sallyport/unprovable'))
    const recoded = await explain("set client_encoding = 'latin1'; select email from public.customers")
    expect(recoded[1]?.decision.verdict).toBe('block')
    const made = await explain('prepare p as select email from customers; execute p')
    expect(made.map(({ masks }) => masks.length)).toEqual([0, 1])
    expect((await explain('execute nothing'))[0]).toMatchObject(blocked('sallyport/unprovable'))
    // A backslash in a string ends it earlier or later.
    const strings = String.raw`select 'a\', email, ' from customers`
    expect((await explain(strings, [], { conforming: 'off' }))[0]).toMatchObject({ action: 'sql:select', masks: [] })
    expect((await explain(strings))[0]?.action).toBe('sql:unknown')
  })

  test('of more than can be looked at, or of what is no text, is none', async () => {
    const many = await explain('select 1;'.repeat(201))
    expect(many).toHaveLength(1)
    expect(many[0]?.detail).toMatch(/201 statements/)
    expect((await explain('select 1\0; drop table customers'))[0]?.detail).toMatch(/NUL/)
    const [wide] = await explain(`select ${Array(2000).fill('email').join(', ')} from customers`)
    expect(wide?.masks).toHaveLength(1664)
  })
})
