import { expect, test } from 'vitest'
import { Broadcast, Watched } from './watched.ts'

test('a reader gets the value at once, and every change from then on, even one between two reads', async () => {
  const value = new Watched('first')
  const reader = value.watch(undefined)
  expect((await reader.next()).value).toBe('first')
  value.set('second')
  value.set('third')
  expect((await reader.next()).value).toBe('second')
  expect((await reader.next()).value).toBe('third')
})

test('a change before the first read is not lost', async () => {
  const value = new Watched(1)
  const reader = value.watch(undefined)
  value.set(2)
  expect([(await reader.next()).value, (await reader.next()).value]).toEqual([1, 2])
})

test('a reader that waits can be told to stop; the others go on', async () => {
  const events = new Broadcast<number>()
  const abort = new AbortController()
  const one = events.read(abort.signal)
  const two = events.read(undefined)
  const waiting = one.next()
  abort.abort()
  expect((await waiting).done).toBe(true)
  events.emit(7)
  expect((await two.next()).value).toBe(7)
  events.end()
  expect((await two.next()).done).toBe(true)
})
