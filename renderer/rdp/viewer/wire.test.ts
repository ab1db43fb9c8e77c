import fc from 'fast-check'
import { expect, test } from 'vitest'
import { mcsData, slow } from '../../../agent/inspect/rdp/frames.ts'
import { demandActive } from '../../../agent/inspect/rdp/testing/peers.ts'
import { RdpError } from '../../../shared/rdp/bytes.ts'
import { Wire } from './wire.ts'

const answer = Buffer.from([0x30, 3, 1, 2, 3])
const pointer = Buffer.from([0, 5, 5, 0, 0])

const u16 = (...values: number[]): Buffer => {
  const out = Buffer.alloc(values.length * 2)
  for (const [i, value] of values.entries()) out.writeUInt16LE(value, i * 2)
  return out
}

/** One red pixel of a bitmap that is four wide, shown one wide: what servers pad. */
const update = (x: number): Buffer =>
  Buffer.concat([u16(1, 1), u16(x, 20, x, 20, 4, 1, 24, 0, 12), Buffer.from([0, 0, 255, ...Array(9).fill(9)])])

const fast = (...updates: readonly [number, Buffer][]): Buffer => {
  const body = Buffer.concat(updates.flatMap(([header, data]) => [Buffer.from([header]), u16(data.length), data]))
  const size = body.length + 3
  return Buffer.concat([Buffer.from([0, 0x80 | (size >> 8), size & 255]), body])
}

function share(type2: number, body: Buffer): Buffer {
  const total = 18 + body.length
  const head = Buffer.alloc(18)
  head.writeUInt16LE(total, 0)
  head.writeUInt16LE(0x17, 2)
  head[14] = type2
  return mcsData('server', 1002, 1003, head, body)
}

function open() {
  const drawn: string[] = []
  const wire = new Wire({
    sized: (width, height) => drawn.push(`${width}×${height}`),
    picture: ({ x, y, width, shownWidth, pixels }) =>
      drawn.push(`${x},${y} ${width}/${shownWidth} #${(pixels[0] ?? 0).toString(16)}`),
  })
  wire.receive(answer)
  return { wire, drawn }
}

const stream = Buffer.concat([
  mcsData('server', 1002, 1003, demandActive()),
  fast([0x01, update(1)]),
  pointer,
  fast([0x01, update(2)], [0x05, Buffer.alloc(0)]),
  // In three fragments.
  fast([0x21, update(3).subarray(0, 7)]),
  fast([0x31, update(3).subarray(7, 20)]),
  fast([0x11, update(3).subarray(20)]),
  share(2, update(4)),
  share(31, Buffer.alloc(4)),
])
const left = Buffer.concat([
  mcsData('server', 1002, 1003, demandActive()),
  pointer,
  Buffer.from([0, 0x80, 6, 5, 0, 0]),
  share(31, Buffer.alloc(4)),
])
const seen = ['640×480', ...[1, 2, 3, 4].map((x) => `${x},20 4/1 #ff0000`)]

const receive = (wire: Wire, bytes: Uint8Array): Buffer => Buffer.concat(wire.receive(bytes))

test('pictures are taken out and drawn as the recorder draws them, with the desktop’s size; the rest goes on', () => {
  const { wire, drawn } = open()
  expect(receive(wire, stream).toString('hex')).toBe(left.toString('hex'))
  expect(drawn).toEqual(seen)
})

test('wherever the stream is cut', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(stream.length), { maxLength: 6 }), (cuts) => {
      const { wire, drawn } = open()
      const at = [0, ...cuts.sort((a, b) => a - b), stream.length]
      const parts = at.slice(1).map((end, i) => receive(wire, stream.subarray(at[i], end)))
      expect(Buffer.concat(parts).equals(left)).toBe(true)
      expect(drawn).toEqual(seen)
    }),
  )
})

test('a Deactivate All that ends behind its header, as xrdp sends it, is made whole: IronRDP would break off', () => {
  const header = Buffer.from('06001600ea03', 'hex')
  const whole = Buffer.from('0d001600ea0300000000010000', 'hex')
  const wanted = mcsData('server', 1002, 1003, whole)
  const { wire } = open()
  for (const came of [header, whole]) {
    expect(receive(wire, mcsData('server', 1002, 1003, came)).toString('hex')).toBe(wanted.toString('hex'))
  }
})

test('the answer to RDCleanPath goes first, whole', () => {
  const wire = new Wire({ sized: () => undefined, picture: () => undefined })
  expect(wire.receive(answer.subarray(0, 3)).length).toBe(0)
  expect([...receive(wire, Buffer.concat([answer.subarray(3), pointer]))]).toEqual([...answer, ...pointer])
})

test('each message is given by itself: IronRDP loses what it has read behind the one that ends its sign-in', () => {
  const fontMap = share(40, Buffer.alloc(8))
  const channel = mcsData('server', 1002, 1005, Buffer.from('what channels there are'))
  expect(
    open()
      .wire.receive(Buffer.concat([fontMap, channel, pointer]))
      .map(Buffer.from),
  ).toEqual([fontMap, channel, pointer])
})

test('what is mangled is refused in words', () => {
  fc.assert(
    fc.property(fc.nat(stream.length - 1), fc.nat(255), (place, value) => {
      const bytes = Buffer.from(stream)
      bytes[place] = value
      try {
        expect(receive(open().wire, bytes).length).toBeLessThanOrEqual(bytes.length)
      } catch (error) {
        expect(error).toBeInstanceOf(RdpError)
      }
    }),
    { numRuns: 1_000 },
  )
})

test('what IronRDP says in the name of somebody else is said in its own', () => {
  const { wire } = open()
  const message = mcsData('client', 1002, 1005, Buffer.from('said'))
  expect(wire.send(message)).toBe(message)
  wire.receive(slow(Buffer.from([0x2e, 0, 0, 5])))
  const key = Buffer.from([4, 4, 0, 0x1e])
  const sent = wire.send(Buffer.concat([key, message, key]))
  expect(Buffer.from(sent)).toEqual(Buffer.concat([key, mcsData('client', 1006, 1005, Buffer.from('said')), key]))
})
