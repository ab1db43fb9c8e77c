import { expect, test } from 'vitest'
import { deepLinkAmong, parseDeepLink } from './deep-link.ts'
import { sessionLink } from './session-link.ts'

test.each([
  ['sallyport://request/r_1-A', { to: 'request', id: 'r_1-A' }],
  ['sallyport://connection/orders-db', { to: 'connection', name: 'orders-db' }],
  ['sallyport://connection/orders-db/', { to: 'connection', name: 'orders-db' }],
  ['sallyport://session/0198c0de', { to: 'session', id: '0198c0de' }],
  [sessionLink('s_1', 754.9), { to: 'session', id: 's_1', at: 754 }],
] as const)('%s', (text, link) => {
  expect(parseDeepLink(text)).toEqual(link)
})

test.each([
  'sallyport://',
  'sallyport://request',
  'sallyport://request/',
  'sallyport://request/a/approve',
  'sallyport://request/a?approve=1',
  'sallyport://request/a#x',
  'sallyport://request/a%2f..',
  'sallyport://request/..\n',
  'sallyport://request/a.b',
  'sallyport://request/a/at/3',
  'sallyport://session/a/at/-1',
  'sallyport://session/a/at/',
  'sallyport://session/a/at/3/kill',
  'sallyport://connection/Orders',
  'sallyport://connection/../etc',
  'sallyport://callback?code=1',
  'SALLYPORT://request/a',
  'https://request/a',
  ` sallyport://request/a`,
  `sallyport://request/${'a'.repeat(65)}`,
])('is none: %j', (text) => {
  expect(parseDeepLink(text)).toBeUndefined()
})

test('is found among arguments, whatever else is there', () => {
  expect(deepLinkAmong(['/opt/sallyport', '--flag', 'sallyport://nonsense', 'sallyport://session/s1'])).toEqual({
    to: 'session',
    id: 's1',
  })
  expect(deepLinkAmong(['/opt/sallyport'])).toBeUndefined()
})
