import { expect, test } from 'vitest'
import type { DecideOutcome } from '../../shared/api/models.ts'
import { fail } from '../problem.ts'
import { decidedAll } from './forward.ts'

const gone: DecideOutcome = { id: 'gone', ok: false, code: 'CONFLICT', message: 'It is already denied.' }
const lacks = (id: string, maxAgeSeconds: number): DecideOutcome => ({
  id,
  ok: false,
  code: 'STEP_UP',
  message: `${id} wants more`,
  stepUp: { maxAgeSeconds },
})
const never = () => Promise.reject(new Error('not to be called'))

test('those that lack a better sign-in are decided once more, after one that does for all of them', async () => {
  const wanted: unknown[] = []
  const again = await decidedAll(
    [gone, lacks('a', 900), lacks('b', 60)],
    (ids) => Promise.resolve(ids.map((id) => ({ id, ok: false, code: 'CONFLICT', message: 'now' }))),
    (...lack) => Promise.resolve(void wanted.push(lack)),
  )
  expect(wanted).toEqual([[{ maxAgeSeconds: 60 }, 'a wants more']])
  expect(again.map((each) => [each.id, !each.ok && each.message])).toEqual([
    ['gone', 'It is already denied.'],
    ['a', 'now'],
    ['b', 'now'],
  ])
})

test('where nobody confirms, what was decided is told all the same', async () => {
  const given = () => Promise.reject(fail('step-up', 'Not confirmed, so nothing was done.'))
  expect(await decidedAll([gone, lacks('a', 900)], never, given)).toEqual([
    gone,
    { id: 'a', ok: false, code: 'STEP_UP', message: 'Not confirmed, so nothing was done.' },
  ])
  expect(await decidedAll([gone], never, never)).toEqual([gone])
})
