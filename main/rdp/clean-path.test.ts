import fc from 'fast-check'
import { expect, test } from 'vitest'
import { connectionRequest } from '../testing/rdp.ts'
import { readCleanPath, writeCleanPath } from './clean-path.ts'

const request = connectionRequest('k3v9q2xwa')
/** What is asked and what is answered have the same form. */
const message = writeCleanPath(request, [Buffer.alloc(900, 7)], 'sallyport')

test('the request is in the first message', () => {
  expect(readCleanPath(message)?.equals(request)).toBe(true)
})

test('another version, a part of it, and more than it are no request', () => {
  const other = Buffer.from(message)
  other[other.indexOf(0x0d)] = 0x0c
  expect(readCleanPath(other)).toBeUndefined()
  expect(readCleanPath(message.subarray(0, -1))).toBeUndefined()
  expect(readCleanPath(Buffer.concat([message, Buffer.alloc(1)]))).toBeUndefined()
  expect(readCleanPath(Buffer.alloc(5_000, 0x30))).toBeUndefined()
})

test('whatever a page sends, nothing is thrown, and nothing longer is made of it', () => {
  const at = fc.nat(message.length - 1)
  const mangled = fc.array(fc.tuple(at, fc.nat(255)), { minLength: 1, maxLength: 6 }).map((changes) => {
    const bytes = Buffer.from(message)
    for (const [place, value] of changes) bytes[place] = value
    return bytes
  })
  fc.assert(
    fc.property(fc.oneof(mangled, fc.uint8Array({ maxLength: 100 })), (bytes) => {
      expect(readCleanPath(Buffer.from(bytes))?.length ?? 0).toBeLessThanOrEqual(bytes.length)
    }),
    { numRuns: 1_000 },
  )
})
