import { Writable } from 'node:stream'
import { expect, test } from 'vitest'
import { drained } from './viewer.ts'

test('waiting for room leaves no listener behind, however often, and ends with the stream', async () => {
  const stream = new Writable({ highWaterMark: 1, write: (_chunk, _encoding, done) => setImmediate(done) })
  const before = stream.listenerCount('close')
  for (let i = 0; i < 20; i++) {
    expect(stream.write('more')).toBe(false)
    await drained(stream)
  }
  expect(stream.listenerCount('close')).toBe(before)
  expect(stream.listenerCount('drain')).toBe(0)
  const waiting = drained(stream)
  stream.destroy()
  await waiting
})
