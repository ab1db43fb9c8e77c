import { expect, test } from 'vitest'
import type { Connection, SchemaTable } from '../../shared/api/models.ts'
import { buildRows, type TreeInput } from './rows.ts'

function connection(
  name: string,
  environment: Connection['environment'],
  kind: Connection['kind'] = 'postgres',
): Connection {
  return {
    name,
    kind,
    environment,
    tags: ['payments'],
    description: 'what it holds',
    access: 'open',
    reachable: true,
    actions: [],
    dataClasses: [],
  }
}

const table = (schema: string, name: string, masked = false): SchemaTable => ({
  schema,
  name,
  kind: 'table',
  columns: [{ name: 'email', type: 'text', masked }],
})

const input: TreeInput = {
  connections: [connection('b', 'staging'), connection('z', 'production', 'ssh'), connection('a', 'production')],
  pinned: [],
  recent: [],
  grouping: 'environment',
  filter: '',
  kind: undefined,
  folded: new Set(),
  schemas: new Map(),
}

const keys = (change: Partial<TreeInput>) => buildRows({ ...input, ...change }).map((row) => row.key)

test('production first, names in order, pinned on top', () => {
  expect(keys({})).toEqual(['production', 'a', 'z', 'staging', 'b'])
  expect(keys({ pinned: ['b', 'gone'] })).toEqual(['pinned', 'pinned/b', 'production', 'a', 'z', 'staging', 'b'])
})

test('folded groups, one kind, and a filter over names, tags and environments', () => {
  expect(keys({ folded: new Set(['production']) })).toEqual(['production', 'staging', 'b'])
  expect(keys({ kind: 'ssh' })).toEqual(['production', 'z'])
  expect(keys({ filter: 'stag pay' })).toEqual(['staging', 'b'])
  expect(keys({ filter: 'nothing' })).toEqual([])
})

test('a filter finds what is folded away, and of an unfolded database the tables that it names', () => {
  const found = ['production', 'a', 'a/public', 'a/public/customers', 'a/public/orders']
  const schemas = new Map([['a', [table('public', 'orders'), table('public', 'customers')]]])
  expect(keys({ schemas, filter: 'a', folded: new Set(['production', 'a/public']) }).slice(0, 5)).toEqual(found)
  expect(keys({ schemas, filter: 'prod cust' })).toEqual(['production', 'a', 'a/public', 'a/public/customers'])
  expect(keys({ schemas, filter: 'public.ord' })).toEqual(['production', 'a', 'a/public', 'a/public/orders'])
  expect(keys({ filter: 'ssh' })).toEqual(['production', 'z'])
})

test('an unfolded database shows its schemas, public first, with masked columns counted', () => {
  const schemas = new Map([['a', [table('audit', 'log'), table('public', 'customers', true)]]])
  expect(keys({ schemas }).slice(0, 6)).toEqual([
    'production',
    'a',
    'a/public',
    'a/public/customers',
    'a/audit',
    'a/audit/log',
  ])
  expect(buildRows({ ...input, schemas })[3]).toMatchObject({ type: 'table', masked: 1 })
  expect(keys({ schemas: new Map([['a', { problem: { code: 'failed', message: 'no', action: 'none' } }]]) })).toContain(
    'a/!',
  )
})

test('what was opened last is on top, unless it is pinned', () => {
  expect(keys({ pinned: ['b'], recent: ['z', 'b', 'gone'] }).slice(0, 4)).toEqual([
    'pinned',
    'pinned/b',
    'recent',
    'recent/z',
  ])
})

test('by tag: under each tag, production first, what has none last', () => {
  const tagged = (name: string, environment: Connection['environment'], tags: string[]) => ({
    ...connection(name, environment),
    tags,
  })
  const connections = [
    tagged('a', 'staging', ['web', 'eu']),
    tagged('b', 'production', ['web']),
    tagged('c', 'production', []),
  ]
  expect(keys({ connections, grouping: 'tag' })).toEqual([
    'tag:eu',
    'tag:eu/a',
    'tag:web',
    'tag:web/b',
    'tag:web/a',
    'tag:',
    'tag:/c',
  ])
  expect(keys({ connections, grouping: 'tag', folded: new Set(['tag:web']) })).not.toContain('tag:web/b')
})
