import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { FilteredChannel, type From, parseChunk } from './channel.ts'
import { ClipboardFilter, type Direction } from './clipboard.ts'
import { RdpError, u16, u32 } from './frames.ts'

const message = (type: number, flags: number, body: Buffer = Buffer.alloc(0)): Buffer =>
  Buffer.concat([u16(type), u16(flags), u32(body.length), body])
const chunk = (total: number, flags: number, data: Buffer): Buffer => Buffer.concat([u32(total), u32(flags), data])
const whole = (data: Buffer): Buffer => chunk(data.length, 3, data)

const offer = message(2, 0, Buffer.from('0d00000000000000', 'hex'))
const ask = (format: number): Buffer => message(4, 0, u32(format))
const text = (words: string): Buffer => message(5, 1, Buffer.from(`${words}\0`, 'utf16le'))

let open: Set<Direction>
let files: boolean
let crossed: unknown[]
let refused: Direction[]
let got: Record<From, Buffer[]>
let channel: FilteredChannel

beforeEach(() => {
  open = new Set(['in', 'out'])
  files = true
  crossed = []
  refused = []
  got = { client: [], server: [] }
  channel = new FilteredChannel(
    (send) =>
      new ClipboardFilter(
        {
          allowed: (direction) => open.has(direction),
          filesAllowed: () => files,
          keepsText: () => true,
          crossed: (transfer) => crossed.push(transfer),
          refused: (direction) => refused.push(direction),
        },
        send,
      ),
    (to, parts) => got[to].push(Buffer.concat(parts)),
  )
})

function from(side: From, data: Buffer): void {
  channel.chunk(side, data, () => got[side === 'client' ? 'server' : 'client'].push(data))
}

const types = (chunks: Buffer[]): string[] =>
  chunks.map((bytes) => `${parseChunk(bytes).data.readUInt16LE(0)}/${parseChunk(bytes).data.readUInt16LE(2)}`)

describe('out of the desktop', () => {
  test('where allowed: offered, asked for, given, recorded with its text', () => {
    from('server', whole(offer))
    from('client', whole(ask(13)))
    from('server', whole(text('hello')))
    expect(types(got.client)).toEqual(['2/0', '5/1'])
    expect(types(got.server)).toEqual(['4/0'])
    expect(crossed).toEqual([{ direction: 'out', format: 'text', bytes: 12, text: 'hello' }])
  })

  test('where refused: nobody hears of the offer, and the target thinks that it was taken', () => {
    open.delete('out')
    from('server', whole(offer))
    expect(types(got.client)).toEqual([])
    expect(types(got.server)).toEqual(['3/1'])
    expect(refused).toEqual(['out'])
  })

  test('where refused: asking all the same is answered with a failure, and never reaches the target', () => {
    open.delete('out')
    from('client', whole(ask(13)))
    expect(types(got.server)).toEqual([])
    expect(types(got.client)).toEqual(['5/2'])
  })

  test('what nobody asked for is dropped', () => {
    from('server', whole(text('pushed')))
    expect(got.client).toEqual([])
    expect(crossed).toEqual([])
  })

  test('a grant that ended between question and answer', () => {
    from('client', whole(ask(13)))
    open.delete('out')
    from('server', whole(text('too late')))
    expect(types(got.client)).toEqual(['5/2'])
    expect(crossed).toEqual([])
  })
})

test('the other direction is decided by itself', () => {
  open.delete('out')
  from('client', whole(offer))
  from('server', whole(ask(13)))
  from('client', whole(text('paste me')))
  expect(types(got.server)).toEqual(['2/0', '5/1'])
  expect(crossed).toMatchObject([{ direction: 'in', text: 'paste me' }])
})

test('files need drives: their capability is taken away, and asking for one fails', () => {
  files = false
  const capabilities = message(7, 0, Buffer.concat([u16(1), u16(0), u16(1), u16(12), u32(2), u32(0x3e)]))
  from('server', whole(capabilities))
  const [seen] = got.client
  expect(seen && parseChunk(seen).data.readUInt32LE(20)).toBe(2)
  from('client', whole(message(8, 0, Buffer.alloc(28))))
  expect(got.server).toEqual([])
  expect(types(got.client).at(-1)).toBe('9/2')
})

test('a message of our own waits until the one that is on its way has passed', () => {
  from('client', whole(ask(2)))
  const picture = message(5, 1, Buffer.alloc(3_000))
  from('server', chunk(picture.length, 1, picture.subarray(0, 1_600)))
  open.delete('out')
  from('client', whole(ask(13)))
  expect(got.client).toHaveLength(1)
  from('server', chunk(picture.length, 2, picture.subarray(1_600)))
  expect(got.client).toHaveLength(3)
  expect(got.client[2] && parseChunk(got.client[2]).data.readUInt16LE(2)).toBe(2)
})

test('whatever comes is refused or dropped, and with both directions closed no data goes anywhere', () => {
  const side = fc.constantFrom<From>('client', 'server')
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 40 }).map((raw) => Buffer.from(raw)),
    fc
      .tuple(fc.integer({ min: 0, max: 12 }), fc.nat(3), fc.uint8Array({ maxLength: 40 }))
      .map(([type, flags, body]) => whole(message(type, flags, Buffer.from(body)))),
  )
  fc.assert(
    fc.property(fc.array(fc.tuple(side, bytes), { maxLength: 30 }), (stream) => {
      got = { client: [], server: [] }
      crossed = []
      open = new Set()
      files = false
      try {
        for (const [who, data] of stream) from(who, data)
      } catch (error) {
        expect(error).toBeInstanceOf(RdpError)
      }
      expect(crossed).toEqual([])
      for (const data of [...got.client, ...got.server]) {
        const { first, data: body } = parseChunk(data)
        if (!first) continue
        // Neither offers nor contents: only failures of our own.
        expect([2, 4, 8]).not.toContain(body.readUInt16LE(0))
        if ([5, 9].includes(body.readUInt16LE(0))) expect(body.readUInt16LE(2)).toBe(2)
      }
    }),
    { numRuns: 500 },
  )
})
