import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { defaultLimits, ResultStore, type Row } from './result.ts'

const mib = 1024 * 1024
let dir: string
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sallyport-result-'))
})
afterAll(() => rm(dir, { recursive: true, force: true }))

const rowOf = (i: number): Row => [String(i), `${i} ${'ä'.repeat(60)}`, i % 7 === 0 ? null : '"quoted"']

async function fill(store: ResultStore, rows: number): Promise<void> {
  for (let i = 0; i < rows; i += 1) if (!store.append(rowOf(i))) await store.drained()
  await store.finish()
}

/** Bytes that are in use, on the heap and beside it, once what nobody holds is gone. */
function inUse(): number {
  setFlagsFromString('--expose-gc')
  const collect: unknown = runInNewContext('gc')
  if (typeof collect !== 'function') throw new Error('no way to collect garbage')
  collect()
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

test('memory for a result is the same however long it is; every row can be read, in any order', async () => {
  const before = inUse()
  const store = new ResultStore(dir)
  const rows = 400_000
  await fill(store, rows)
  // More than 60 MiB came in.
  expect(inUse() - before).toBeLessThan(2 * defaultLimits.memory + 4 * mib)
  for (const at of [rows - 1, 0, 255, 256, rows / 2]) {
    expect(await store.window(at, at + 2)).toEqual([at, at + 1].filter((i) => i < rows).map(rowOf))
  }
  let next = 0
  for await (const page of store.scan()) {
    expect(page[0]).toEqual(rowOf(next))
    next += page.length
  }
  expect(next).toBe(rows)
  await store.release()
})

test('a short result is read without a file, also while it comes in', async () => {
  const store = new ResultStore(join(dir, 'never made'))
  for (let i = 0; i < 600; i += 1) store.append(rowOf(i))
  expect(await store.window(250, 260)).toEqual(Array.from({ length: 10 }, (_, i) => rowOf(250 + i)))
  expect(await store.window(599, 700)).toEqual([rowOf(599)])
  await store.finish()
  await store.release()
})
