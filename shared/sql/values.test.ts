import { expect, test } from 'vitest'
import { isExactNumber, jsonValue, uniqueNames } from './values.ts'

test.each(['0', '-1', '12.50', '0.10', '9007199254740991', '1e+300', '0.30000000000000004', '10000000000000.0'])(
  'a double holds %s',
  (text) => {
    expect(isExactNumber(text)).toBe(true)
    expect(jsonValue(text, { name: 'n', type: 'numeric' })).toBe(text)
  },
)

test.each([
  '9007199254740993',
  '12345678901234567890',
  '0.1234567890123456789',
  'NaN',
  '-Infinity',
  '',
  '1,000',
  '007',
])('a double does not hold %s', (text) => {
  expect(isExactNumber(text)).toBe(false)
  expect(jsonValue(text, { name: 'n', type: 'numeric' })).toBe(JSON.stringify(text))
})

test('JSON stays JSON, and what is masked is text', () => {
  expect(jsonValue('{"a": 1.10}', { name: 'j', type: 'jsonb' })).toBe('{"a": 1.10}')
  const masked = { dataClass: 'x', policyId: 'p', reason: 'r', requestable: false }
  expect(jsonValue('1', { name: 'n', type: 'int4', masked })).toBe('"1"')
})

test('a name that is there twice gets a number that no other has', () => {
  expect(uniqueNames(['id', 'id', 'id_2', 'id'])).toEqual(['id', 'id_3', 'id_2', 'id_4'])
})
