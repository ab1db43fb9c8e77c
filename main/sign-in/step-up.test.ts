import { expect, test } from 'vitest'
import { fail } from '../problem.ts'
import { confirmed, sharedConfirm } from './step-up.ts'

test('calls that lack a better sign-in at the same time share one, and the next after it gets its own', async () => {
  const given = Promise.withResolvers<void>()
  const lacks: string[] = []
  let good = false
  const confirm = sharedConfirm(async ({ message }) => {
    lacks.push(message)
    await given.promise
    good = true
  })
  const call = (name: string) =>
    confirmed(() => (good ? Promise.resolve(name) : Promise.reject(fail('step-up', name))), confirm)
  const both = Promise.all([call('a'), call('b')])
  given.resolve()
  expect(await both).toEqual(['a', 'b'])
  expect(lacks).toEqual(['a'])
  good = false
  expect(await call('c')).toBe('c')
  expect(lacks).toEqual(['a', 'c'])
})
