import fc from 'fast-check'
import { expect, test } from 'vitest'
import { connectionRequest } from '../testing/rdp.ts'
import { readEntry } from './entry.ts'

test('reads who comes from a request, at every split', () => {
  const bytes = connectionRequest('k3v9q2xwa')
  for (let at = 0; at < bytes.length; at += 1) expect(readEntry(bytes.subarray(0, at))).toEqual({ kind: 'more' })
  expect(readEntry(bytes)).toEqual({ kind: 'request', length: bytes.length, user: 'k3v9q2xwa' })
  expect(readEntry(Buffer.concat([bytes, Buffer.from('more')]))).toMatchObject({ user: 'k3v9q2xwa' })
})

test('a request without a cookie, or with a routing token, names nobody', () => {
  expect(readEntry(connectionRequest(undefined))).toMatchObject({ kind: 'request', user: '' })
  expect(readEntry(connectionRequest(undefined, 'Cookie: msts=1.2.3\r\n'))).toMatchObject({ user: '' })
})

test('what is no request is told at once', () => {
  expect(readEntry(Buffer.from('GET / HTTP/1.1\r\n'))).toEqual({ kind: 'invalid' })
  expect(readEntry(Buffer.from([22, 3, 1, 2, 0, 1]))).toEqual({ kind: 'invalid' })
  expect(readEntry(Buffer.from([3, 0, 0xff, 0xff]))).toEqual({ kind: 'invalid' })
  expect(readEntry(Buffer.from([3, 0, 0, 4]))).toEqual({ kind: 'invalid' })
  const confirm = connectionRequest('x')
  confirm[5] = 0xd0
  expect(readEntry(confirm)).toEqual({ kind: 'invalid' })
})

test('no bytes make it throw or read past a length', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2000 }), (bytes) => {
      const entry = readEntry(Buffer.from(bytes))
      if (entry.kind === 'request') expect(entry.length).toBeLessThanOrEqual(bytes.length)
    }),
  )
})
