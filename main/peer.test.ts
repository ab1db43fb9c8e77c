import { endianness } from 'node:os'
import { expect, test } from 'vitest'
import { findSocket } from './peer.ts'

const ours = { address: '127.0.0.1', port: 15432 }
const line = (from: string, to: string, uid: number, state = '01') =>
  `   0: ${from} ${to} ${state} 00000000:00000000 00:00000000 00000000  ${uid}        0 1 1 0 20 4 30 10 -1`
const four = (last: string) => `${last}00007F`
const six = (last: string) => `0000000000000000FFFF0000${last}00007F`

test.skipIf(endianness() !== 'LE')('a socket by both its ends, in the tables of IPv4 and IPv6', () => {
  const table = [
    '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode',
    // The same ports, at another address, of another user.
    line(`${four('02')}:C350`, `${four('01')}:3C48`, 1),
    line(`${four('01')}:C350`, `${four('01')}:3C48`, 1000),
    line(`${six('01')}:C351`, `${six('01')}:3C48`, 1001),
    line(`${four('01')}:C352`, `${four('01')}:3C48`, 1002, '06'),
    line('00000000000000000000000001000000:C353', '00000000000000000000000001000000:3C48', 1003),
    line('B80D0120000000000000000001000000:C354', '00000000000000000000000001000000:3C48', 1004),
  ].join('\n')
  const owner = (address: string, port: number, to = ours) => findSocket(table, { address, port }, to)?.uid
  expect(owner('127.0.0.1', 50_000)).toBe(1000)
  expect(owner('127.0.0.2', 50_000)).toBe(1)
  expect(owner('::ffff:127.0.0.1', 50_000)).toBe(1000)
  expect(owner('127.0.0.1', 50_001)).toBe(1001)
  expect(owner('127.0.0.1', 50_002)).toBeUndefined()
  expect(owner('127.0.0.1', 50_003)).toBeUndefined()
  expect(owner('::1', 50_003, { address: '::1', port: 15432 })).toBe(1003)
  expect(owner('2001:db8::1', 50_004, { address: '::1', port: 15432 })).toBe(1004)
})
