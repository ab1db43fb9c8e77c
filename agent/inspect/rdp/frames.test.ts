import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  connectionConfirm,
  connectionRequest,
  mcsData,
  type Pdu,
  PduSplitter,
  parseConnectionConfirm,
  parseConnectionRequest,
  parseMcs,
  RdpError,
  slow,
  slowPayload,
} from './frames.ts'

/** What mstsc sends first. */
const hello = Buffer.from(
  '0300002f2ae00000000000436f6f6b69653a206d737473686173683d616461626162610d0a0100080003000000',
  'hex',
)
hello.writeUInt16BE(hello.length, 2)
hello[4] = hello.length - 5

const fast = (length: number): Buffer =>
  length < 0x80
    ? Buffer.concat([Buffer.from([0, length]), Buffer.alloc(length - 2, 7)])
    : Buffer.concat([Buffer.from([0, 0x80 | (length >> 8), length & 255]), Buffer.alloc(length - 3, 7)])

function split(chunks: readonly Buffer[]): Pdu[] {
  const splitter = new PduSplitter()
  return chunks.flatMap((chunk) => [...splitter.push(chunk)])
}

describe('messages are cut out of the stream', () => {
  const messages = [
    hello,
    fast(3),
    fast(0x7f),
    fast(0x80),
    slow(Buffer.alloc(900, 1)),
    fast(0x7fff),
    slow(Buffer.alloc(1)),
  ]
  const stream = Buffer.concat(messages)

  test('wherever it is cut', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: stream.length }), { maxLength: 40 }), (cuts) => {
        const at = [0, ...cuts.sort((a, b) => a - b), stream.length]
        const chunks = at.slice(1).map((end, i) => stream.subarray(at[i], end))
        const cut = split(chunks)
        expect(cut.map((pdu) => pdu.bytes.length)).toEqual(messages.map((message) => message.length))
        expect(Buffer.concat(cut.map((pdu) => pdu.bytes)).equals(stream)).toBe(true)
      }),
      { numRuns: 200 },
    )
  })

  test('those that lie whole in a chunk are not copied', () => {
    for (const { bytes } of split([stream])) expect(bytes.buffer).toBe(stream.buffer)
  })

  test('what is no message is refused, and never kept without end', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 }), (chunks) => {
        const splitter = new PduSplitter(1_000)
        try {
          for (const chunk of chunks) {
            for (const pdu of splitter.push(Buffer.from(chunk))) expect(pdu.bytes.length).toBeLessThanOrEqual(1_000)
            expect(splitter.waiting).toBeLessThanOrEqual(1_300)
          }
        } catch (error) {
          expect(error).toBeInstanceOf(RdpError)
        }
      }),
    )
  })
})

describe('the first messages', () => {
  test('a request names its user and its protocols', () => {
    expect(parseConnectionRequest(hello)).toEqual({ cookie: { kind: 'user', user: 'adababa' }, protocols: 3 })
    expect(parseConnectionRequest(connectionRequest(1))).toEqual({ cookie: undefined, protocols: 1 })
  })

  test('an answer says what was chosen', () => {
    expect(parseConnectionConfirm(connectionConfirm(1))).toEqual({ kind: 'selected', protocol: 1 })
  })

  test.each([
    ['requests', (bytes: Buffer) => parseConnectionRequest(bytes), hello],
    ['answers', (bytes: Buffer) => parseConnectionConfirm(bytes), connectionConfirm(1)],
    ['MCS messages', (bytes: Buffer) => parseMcs(slowPayload(bytes)), mcsData('client', 1007, 1003, Buffer.alloc(200))],
  ])('%s that were tampered with are refused or understood, and nothing else', (_, parse, valid) => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { maxLength: 6 }),
        fc.nat(),
        (edits, keep) => {
          const bytes = Buffer.from(valid.subarray(0, Math.max(7, keep % (valid.length + 1))))
          for (const [at, value] of edits) if (at < bytes.length) bytes[at] = value
          try {
            parse(bytes)
          } catch (error) {
            expect(error).toBeInstanceOf(RdpError)
          }
        },
      ),
      { numRuns: 500 },
    )
  })
})

test('data comes through as it was, and its length is not believed', () => {
  const pdu = mcsData('client', 1007, 1003, Buffer.from('abc'), Buffer.from('def'))
  expect(parseMcs(slowPayload(pdu))).toEqual({
    kind: 'data',
    from: 'client',
    user: 1007,
    channel: 1003,
    data: Buffer.from('abcdef'),
  })
  // A second message behind the first.
  expect(() => parseMcs(Buffer.concat([slowPayload(pdu), Buffer.from('more')]))).toThrow(/another length/)
})
