import { expect, test } from 'vitest'
import { Batches } from './batches.ts'

/** A store that takes its time: each call waits until it is let go. */
function slowStore(refuse: (items: readonly number[]) => boolean = () => false) {
  const stored: (readonly number[])[] = []
  const gates: (() => void)[] = []
  const batches = new Batches<number>(async (items) => {
    await new Promise<void>((go) => gates.push(go))
    if (refuse(items)) throw new Error(`no ${items.join()}`)
    stored.push(items)
  })
  const letGo = async () => {
    while (gates.length > 0) {
      gates.shift()?.()
      await new Promise((done) => setImmediate(done))
    }
  }
  return { batches, stored, letGo }
}

test('what comes while others are stored is stored together, in order', async () => {
  const { batches, stored, letGo } = slowStore()
  const all = Promise.all([1, 2, 3, 4].map((item) => batches.add(item)))
  await letGo()
  await all
  expect(stored).toEqual([[1], [2, 3, 4]])
})

test('an item that can’t be stored fails alone', async () => {
  const { batches, stored, letGo } = slowStore((items) => items.includes(3))
  const all = Promise.allSettled([1, 2, 3, 4].map((item) => batches.add(item)))
  await letGo()
  expect((await all).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled'])
  expect(stored).toEqual([[1], [2], [4]])
})

test('it goes on after a failure', async () => {
  const { batches, stored, letGo } = slowStore((items) => items.includes(1))
  const first = batches.add(1).catch((error: Error) => error.message)
  await letGo()
  expect(await first).toBe('no 1')
  const second = batches.add(2)
  await letGo()
  await second
  expect(stored).toEqual([[2]])
})
