import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Pages } from './pages.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** A link of a page, until `cut`. */
async function link(pages: Pages, page: string): Promise<{ cut(): Promise<void> }> {
  const life = new AbortController()
  const stream = pages.stay(page, life.signal)
  expect(await stream.next()).toEqual({ value: true, done: false })
  const over = stream.next()
  return {
    cut: async () => {
      life.abort()
      expect((await over).done).toBe(true)
    },
  }
}

test('a page that is gone for longer than a link takes to come back is told of, once', async () => {
  const gone = vi.fn()
  const pages = new Pages(gone)
  const { cut } = await link(pages, 'a')
  await link(pages, 'b')
  await cut()
  vi.advanceTimersByTime(9_999)
  expect(gone).not.toHaveBeenCalled()
  vi.advanceTimersByTime(60_000)
  expect(gone.mock.calls).toEqual([['a']])
})

test('one whose link comes back, before or after the old one was missed, is not', async () => {
  const gone = vi.fn()
  const pages = new Pages(gone)
  const first = await link(pages, 'a')
  await first.cut()
  vi.advanceTimersByTime(5_000)
  const second = await link(pages, 'a')
  vi.advanceTimersByTime(60_000)
  await link(pages, 'a')
  await second.cut()
  vi.advanceTimersByTime(60_000)
  expect(gone).not.toHaveBeenCalled()
})

test('after the end nobody is told of', async () => {
  const gone = vi.fn()
  const pages = new Pages(gone)
  const { cut } = await link(pages, 'a')
  await cut()
  pages.end()
  vi.advanceTimersByTime(60_000)
  expect(gone).not.toHaveBeenCalled()
})
