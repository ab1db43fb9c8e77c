import { afterEach, expect, test, vi } from 'vitest'
import { Batches } from './batches.ts'

afterEach(() => void vi.useRealTimers())

const turn = (): Promise<void> => new Promise((done) => setImmediate(done))

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
    await turn()
    while (gates.length > 0) {
      gates.shift()?.()
      await turn()
    }
  }
  return { batches, stored, letGo }
}

test('what comes in one turn, and what comes while others are stored, is stored together, in order', async () => {
  const { batches, stored, letGo } = slowStore()
  const first = [1, 2].map((item) => batches.add(item))
  await turn()
  const all = Promise.all([...first, ...[3, 4].map((item) => batches.add(item))])
  await letGo()
  await all
  expect(stored).toEqual([
    [1, 2],
    [3, 4],
  ])
})

test('an item that can’t be stored fails alone', async () => {
  const { batches, stored, letGo } = slowStore((items) => items.includes(3))
  const all = Promise.allSettled([2, 3, 4].map((item) => batches.add(item)))
  await letGo()
  expect((await all).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  expect(stored).toEqual([[2], [4]])
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

test('what has patience is stored with the next that has none, and by itself when none comes', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const { batches, stored, letGo } = slowStore()
  const patient = [1, 2].map((item) => batches.add(item, 50))
  await letGo()
  expect(stored).toEqual([])
  const together = Promise.all([...patient, batches.add(3)])
  await letGo()
  await together
  expect(stored).toEqual([[1, 2, 3]])
  const alone = batches.add(4, 50)
  vi.advanceTimersByTime(49)
  await letGo()
  expect(stored).toHaveLength(1)
  vi.advanceTimersByTime(1)
  await letGo()
  await alone
  expect(stored).toEqual([[1, 2, 3], [4]])
})
