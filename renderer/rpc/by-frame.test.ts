import { expect, test } from 'vitest'
import { byFrame } from './by-frame.ts'

/** A stream that is written to, and frames that are drawn, by hand. */
function bench() {
  const frames: (() => void)[] = []
  const pipe = new TransformStream<string, string>(undefined, { highWaterMark: 100 }, { highWaterMark: 100 })
  const input = pipe.writable.getWriter()
  const groups = byFrame(pipe.readable, () => new Promise<void>((resolve) => frames.push(resolve)))
  const next = async () => (await groups.next()).value?.map(({ value }) => value)
  return { input, groups, next, draw: () => frames.shift()?.() }
}

test('the first comes at once, and what comes before the next frame comes together with it', async () => {
  const { input, next, draw } = bench()
  await input.write('columns')
  expect(await next()).toEqual(['columns'])
  const second = next()
  for (const value of ['rows', 'complete', 'done']) await input.write(value)
  draw()
  expect(await second).toEqual(['rows', 'complete', 'done'])
})

test('what comes after a frame without news does not wait for one more', async () => {
  const { input, next, draw } = bench()
  await input.write('columns')
  await next()
  const second = next()
  draw()
  await input.write('rows')
  expect(await second).toEqual(['rows'])
})

test('it ends after all that came', async () => {
  const { input, next, draw } = bench()
  await input.write('columns')
  await next()
  const second = next()
  await input.write('done')
  await input.close()
  draw()
  expect(await second).toEqual(['done'])
  const end = next()
  draw()
  expect(await end).toBeUndefined()
})

test('it fails after all that came', async () => {
  const { input, next, draw } = bench()
  await input.write('columns')
  await next()
  const second = next()
  await input.abort(new Error('the link broke'))
  draw()
  await expect(second).rejects.toThrow('the link broke')
})

test('who stops reading stops the stream', async () => {
  let stopped = false
  async function* endless() {
    try {
      while (true) yield 'row'
    } finally {
      stopped = true
    }
  }
  for await (const group of byFrame(endless(), () => Promise.resolve())) {
    expect(group.length).toBeGreaterThan(0)
    break
  }
  expect(stopped).toBe(true)
})
