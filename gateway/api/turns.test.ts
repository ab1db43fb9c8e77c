import { expect, test } from 'vitest'
import { Turns } from './turns.ts'

/** Work that goes on until it is told to end. */
function job() {
  const { promise, resolve } = Promise.withResolvers<string>()
  const work = {
    begun: false,
    run: () => {
      work.begun = true
      return promise
    },
    end: () => resolve('done'),
  }
  return work
}

test('so much at once for each, so much more waits, and the rest is told so', async () => {
  const turns = new Turns({ atOnce: 2, waiting: 1 })
  const [a, b, c, d, other] = [job(), job(), job(), job(), job()]
  const first = turns.take('ada', undefined, a.run)
  const second = turns.take('ada', undefined, b.run)
  const third = turns.take('ada', undefined, c.run)
  expect(await turns.take('ada', undefined, d.run)).toBeUndefined()
  void turns.take('grace', undefined, other.run)
  expect([a, b, c, d, other].map(({ begun }) => begun)).toEqual([true, true, false, false, true])
  a.end()
  expect(await first).toBe('done')
  expect(c.begun).toBe(true)
  c.end()
  b.end()
  expect(await Promise.all([second, third])).toEqual(['done', 'done'])
  d.end()
  expect(await turns.take('ada', undefined, d.run)).toBe('done')
})

test('work that fails gives its place on; who has left meanwhile is not worked for', async () => {
  const turns = new Turns({ atOnce: 1, waiting: 2 })
  const { promise, reject } = Promise.withResolvers<string>()
  const failing = turns.take('ada', undefined, () => promise)
  const gone = new AbortController()
  const [left, last] = [job(), job()]
  const leaving = turns.take('ada', gone.signal, left.run)
  const next = turns.take('ada', undefined, last.run)
  gone.abort()
  last.end()
  reject(new Error('no'))
  await expect(failing).rejects.toThrow('no')
  await expect(leaving).rejects.toThrow()
  expect(await next).toBe('done')
  expect(left.begun).toBe(false)
})
