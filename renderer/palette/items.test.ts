import { expect, test } from 'vitest'
import type { Session } from '../../shared/api/models.ts'
import { highlight, nearest, type Sources, score, search } from './items.ts'

const sources: Sources = {
  connections: [],
  recent: [],
  tables: [],
  requests: [],
  sessions: [],
  saved: [],
  ran: [],
  commands: ['Go to sessions', 'Settings', 'Theme: dark'].map((label) => ({
    kind: 'command',
    id: label,
    label,
    icon: 'plug',
    run: () => undefined,
  })),
}

test('every word must fit, and the start of a name counts most', () => {
  expect(score('orders-db', ['ord', 'x'])).toBe(0)
  expect(score('orders-db', ['ord'])).toBeGreaterThan(score('reorders', ['ord']))
  expect(search('se', sources)[0]?.items.map((item) => item.label)).toEqual(['Settings', 'Go to sessions'])
})

test('prefixes narrow the search', () => {
  expect(search('>theme', sources)).toHaveLength(1)
  expect(search('#theme', sources)).toEqual([])
})

test('hits are marked', () => {
  expect(
    highlight('orders-db', 'ord db')
      .filter((part) => part.hit)
      .map((part) => part.text),
  ).toEqual(['ord', 'db'])
})

const connection = (name: string) => ({
  name,
  kind: 'ssh' as const,
  environment: 'staging' as const,
  tags: ['billing'],
  description: '',
  access: 'open' as const,
  reachable: true,
  actions: [],
  dataClasses: [],
})

test('a connection is found by environment, kind and tag as well, and by its name first', () => {
  const connections = ['a', 'billing-1'].map(connection)
  const found = (query: string) =>
    search(query, { ...sources, connections }).flatMap((g) => g.items.map((i) => i.label))
  expect(found('billing')).toEqual(['billing-1', 'a'])
  expect(found('staging ssh')).toEqual(['a', 'billing-1'])
  expect(found('production')).toEqual([])
})

test('tables are looked for in the databases that are near, and never in all of very many', () => {
  const many = Array.from({ length: 500 }, (_, i) => connection(`db-${i}`))
  const near = nearest(many, ['db-400', 'gone', 'db-3', 'db-400']).map((c) => c.name)
  expect(near.slice(0, 3)).toEqual(['db-400', 'db-3', 'db-0'])
  expect(near).toHaveLength(20)
})

test('connections used last come first', () => {
  const found = search('', { ...sources, connections: ['a', 'b', 'c'].map(connection), recent: ['c', 'b'] })
  expect(found[0]?.items.map((item) => item.label)).toEqual(['c', 'b', 'a'])
})

test('what was run is found by its words, each text once and newest first, and never without a word', () => {
  const entry = (id: string, text: string) =>
    ({ id, at: '2026-11-29T20:00:00Z', connection: 'orders-db', text, outcome: 'allowed' }) as const
  const ran = [
    entry('3', 'SELECT 1\n  FROM orders'),
    entry('2', 'DELETE FROM orders'),
    entry('1', 'DELETE FROM orders'),
  ]
  const found = (query: string) => search(query, { ...sources, ran }).flatMap((group) => group.items)
  expect(found('from orders').map(({ id, label }) => [id, label])).toEqual([
    ['h/3', 'SELECT 1 FROM orders'],
    ['h/2', 'DELETE FROM orders'],
  ])
  expect(found('').some((item) => item.kind === 'statement')).toBe(false)
})

test('sessions that may be replayed are found by who was in them, where, and their number', () => {
  const session = (id: string, name: string, canReplay: boolean): Session => ({
    id,
    principal: { id: name.toLowerCase(), name, groups: [] },
    connection: { name: 'orders-db', kind: 'postgres', environment: 'production', tags: [] },
    startedAt: '2026-11-29T20:00:00Z',
    door: 'desktop',
    sourceIp: '10.4.0.7',
    state: 'ended',
    counts: { allowed: 1, masked: 0, held: 0, blocked: 0, granted: 0 },
    canReplay,
    canKill: false,
  })
  const sessions = [session('ses_1', 'Ada', true), session('ses_2', 'Linus', true), session('ses_3', 'Linus', false)]
  const found = (query: string) =>
    search(query, { ...sources, sessions }).flatMap((group) => group.items.map(({ id, label }) => [id, label]))
  expect(found('linus')).toEqual([['e/ses_2', 'Linus on orders-db']])
  expect(found('ses_1')).toEqual([['e/ses_1', 'Ada on orders-db']])
  expect(found('10.4. production')).toHaveLength(2)
  expect(found('')).not.toContainEqual(['e/ses_1', 'Ada on orders-db'])
})
