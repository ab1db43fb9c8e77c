import { expect, test } from 'vitest'
import type { Grant } from '../../shared/decision.ts'
import { endedSince, grantWords, onward } from './grants.ts'

const end = Date.parse('2030-01-01T12:00:00.000Z')
const grant: Grant = {
  id: 'g1',
  principalId: 'linus',
  connection: 'orders-db',
  actions: ['sql:write', 'unmask'],
  dataClasses: ['email'],
  startsAt: '2030-01-01T11:00:00.000Z',
  endsAt: '2030-01-01T12:00:00.000Z',
  requestId: 'r1',
  approvedBy: ['grace'],
}

test('a grant that ran out is named for two minutes, with the time it ended', () => {
  const ended = endedSince({ active: [grant], ended: [] }, [], end + 900)
  expect(ended).toEqual([{ grant, endedAt: end }])
  expect(endedSince({ active: [], ended }, [], end + 119_000)).toEqual(ended)
  expect(endedSince({ active: [], ended }, [], end + 121_000)).toEqual([])
})

test('one that was given back ended then; one that is in force again has not ended', () => {
  const ended = endedSince({ active: [grant], ended: [] }, [], end - 600_000)
  expect(ended).toEqual([{ grant, endedAt: end - 600_000 }])
  expect(endedSince({ active: [], ended }, [grant], end - 599_000)).toEqual([])
})

test('a grant is said in few words', () => {
  expect(grantWords(grant)).toBe('write, unmask email')
})

test('what holds is extended, what has ended is asked for anew: the gateway extends nothing that is over', () => {
  expect(onward(grant, end - 1)).toMatchObject({ label: 'Extend…', draft: { extends: 'g1' } })
  expect(onward(grant, end).label).toBe('Ask again…')
  expect(onward(grant, end).draft).toEqual({
    connection: 'orders-db',
    actions: ['sql:write', 'unmask'],
    dataClasses: ['email'],
  })
})
