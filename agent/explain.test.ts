import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Grant } from '../shared/decision.ts'
import { SessionPolicy } from './decide.ts'
import { explainSql, schemaOf } from './explain.ts'
import type { CatalogRelation } from './inspect/postgres/analysis.ts'
import { Snapshot } from './inspect/postgres/catalog.ts'
import { loadParser } from './inspect/postgres/parser.ts'
import { Policies } from './policies.ts'

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
const policyWith = (grants: readonly Grant[]) =>
  new SessionPolicy(
    {
      principal: { kind: 'user', id: 'ada', name: 'Ada', groups: [] },
      connection: { name: 'orders-db', kind: 'postgres', environment: 'production', tags: [] },
      context: { sourceIp: '127.0.0.1', mfa: false },
      grants,
    },
    policies,
    () => '',
  )

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
  const explain = (sql: string, grants: readonly Grant[] = []) =>
    explainSql(sql, catalog, ['public'], policyWith(grants)).statements

  test('says what each statement would be', () => {
    const sql = 'select name, email from customers; delete from customers'
    const [read, write] = explain(sql)
    expect(read).toMatchObject({ action: 'sql:select', decision: { verdict: 'allow' }, tables: ['public.customers'] })
    expect(read?.masks).toMatchObject([{ label: 'email', dataClass: 'email', position: 1, requestable: true }])
    expect(sql.slice(write?.start, write?.end)).toBe('delete from customers')
    expect(write).toMatchObject({ action: 'sql:delete', decision: { verdict: 'block', policy: { id: 'where' } } })
  })

  test('knows of grants', () => {
    expect(explain('select email from customers', [unmask])[0]?.masks).toEqual([])
  })

  test('says why text is no SQL', () => {
    const [one] = explain('selct 1')
    expect(one).toMatchObject({ action: 'sql:unknown', decision: { verdict: 'block' }, tables: [] })
    expect(one?.detail).toMatch(/syntax error/)
  })
})
