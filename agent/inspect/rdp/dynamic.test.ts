import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import type { From } from './channel.ts'
import type { DynamicPurpose } from './classify.ts'
import { DynamicFilter } from './dynamic.ts'
import { RdpError, u16, u32 } from './frames.ts'

const display = 'Microsoft::Windows::RDS::DisplayControl'
const refusal = 0xc0000001

let filter: DynamicFilter
/** What policy allows now, and what was asked. */
let allowed: boolean
let asked: DynamicPurpose[]
/** What the filter sent by itself. */
let sent: { to: From; message: Buffer }[]
let failures: unknown[]

beforeEach(() => {
  allowed = true
  asked = []
  sent = []
  failures = []
  filter = make()
})

function make(): DynamicFilter {
  return new DynamicFilter(
    {
      opens: async (purpose) => {
        asked.push(purpose)
        return allowed
      },
      allowed: () => allowed,
      failed: (error) => failures.push(error),
    },
    (to, message) => sent.push({ to, message }),
  )
}

const chunk = (...parts: Buffer[]): Buffer => {
  const message = Buffer.concat(parts)
  return Buffer.concat([u32(message.length), u32(3), message])
}
const create = (id: number, name: string): Buffer => chunk(Buffer.from([0x10, id]), Buffer.from(`${name}\0`))
const created = (id: number, status = 0): Buffer => chunk(Buffer.from([0x10, id]), u32(status))
const data = (id: number, ...body: Buffer[]): Buffer => chunk(Buffer.from([0x30, id]), ...body)
const layout = (width: number, height: number, count = 1): Buffer =>
  Buffer.concat([...[2, 56, 40, count, 1, 0, 0, width, height, 0, 0, 0, 100, 100].map((value) => u32(value))])

/** Lets what was decided happen. */
const decided = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

async function open(id: number, name: string): Promise<void> {
  expect(filter.pass('server', create(id, name))).toBe(false)
  await decided()
  expect(sent.at(-1)?.to).toBe('client')
  expect(filter.pass('client', created(id))).toBe(true)
}

test.each(['Microsoft::Windows::RDS::Graphics', 'Microsoft::Windows::RDS::Input', 'cliprdr', 'rdpdr', 'vendor'])(
  '%s is nobody’s: the target hears that there is none, the client hears nothing',
  (name) => {
    expect(filter.pass('server', create(3, name))).toBe(false)
    expect(sent).toEqual([{ to: 'server', message: Buffer.concat([Buffer.from([0x10, 3]), u32(refusal)]) }])
    expect(filter.pass('server', data(3, Buffer.from('x')))).toBe(false)
    expect(filter.pass('client', created(3))).toBe(false)
    expect(filter.pass('client', data(3, Buffer.from('x')))).toBe(false)
  },
)

describe('the size of the desktop', () => {
  test('may be changed, to one that can be recorded', async () => {
    await open(7, display)
    expect(filter.pass('client', data(7, layout(1280, 900)))).toBe(true)
    for (const bad of [
      layout(8192, 900),
      layout(1280, 4000),
      layout(1280, 900, 2),
      Buffer.alloc(4),
      Buffer.alloc(60),
    ]) {
      let passed = false
      try {
        passed = filter.pass('client', data(7, bad))
      } catch (error) {
        expect(error).toBeInstanceOf(RdpError)
      }
      expect(passed).toBe(false)
    }
  })

  test('not before the client has the channel, nor after it is closed', async () => {
    filter.pass('server', create(7, display))
    expect(filter.pass('client', data(7, layout(1280, 900)))).toBe(false)
    await decided()
    expect(filter.pass('client', data(7, layout(1280, 900)))).toBe(false)
    filter.pass('client', created(7))
    expect(filter.pass('client', data(7, layout(1280, 900)))).toBe(true)
    expect(filter.pass('server', chunk(Buffer.from([0x40, 7])))).toBe(true)
    expect(filter.pass('client', data(7, layout(1280, 900)))).toBe(false)
  })
})

describe.each([
  ['URBDRC', 'rdp:usb'],
  ['RDCamera_Device_Enumerator', 'rdp:usb'],
  ['AUDIO_INPUT', 'rdp:audio'],
  ['AUDIO_PLAYBACK_DVC', 'rdp:audio'],
])('%s', (name, action) => {
  test('needs its action, and goes on while it is allowed', async () => {
    await open(9, name)
    expect(asked).toEqual([{ kind: 'device', action }])
    expect(filter.pass('server', data(9, Buffer.from('x')))).toBe(true)
    allowed = false
    expect(filter.pass('server', data(9, Buffer.from('x')))).toBe(false)
    expect(filter.pass('client', data(9, Buffer.from('x')))).toBe(false)
  })

  test('refused, the client never hears of it', async () => {
    allowed = false
    filter.pass('server', create(9, name))
    await decided()
    expect(sent).toEqual([{ to: 'server', message: Buffer.concat([Buffer.from([0x10, 9]), u32(refusal)]) }])
    expect(filter.pass('client', data(9, Buffer.from('x')))).toBe(false)
  })
})

test('compression is not agreed to', () => {
  const offer = chunk(Buffer.from([0x50, 0]), u16(3), Buffer.alloc(8))
  expect(filter.pass('server', offer)).toBe(false)
  expect(sent[0]?.message.readUInt16LE(2)).toBe(2)
  expect(() => filter.pass('client', chunk(Buffer.from([0x50, 0]), u16(3)))).toThrow('not offered')
  expect(() => filter.pass('server', chunk(Buffer.from([0x70, 9, 1, 2])))).toThrow('unknown kind')
})

test('a target can’t pile channels up, or take a number twice', () => {
  for (let id = 0; id < 64; id++) filter.pass('server', create(id, display))
  expect(() => filter.pass('server', create(99, display))).toThrow('too many')
  expect(() => make().pass('server', chunk(Buffer.from([0x10, 1, 65])))).toThrow('without a name')
  filter = make()
  filter.pass('server', create(1, display))
  expect(() => filter.pass('server', create(1, display))).toThrow('twice')
})

test('whatever comes is passed, dropped, or refused in words', async () => {
  const message = fc.oneof(
    fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.from(bytes)),
    fc.uint8Array({ maxLength: 80 }).map((bytes) => chunk(Buffer.from(bytes))),
    fc.tuple(fc.nat(3), fc.constantFrom(display, 'URBDRC', 'x')).map(([id, name]) => create(id, name)),
    fc.nat(3).map((id) => created(id)),
    fc.tuple(fc.nat(3), fc.nat(5_000)).map(([id, width]) => data(id, layout(width, 700))),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(fc.constantFrom('client', 'server'), message)), async (messages) => {
      const one = make()
      for (const [from, bytes] of messages) {
        try {
          one.pass(from, bytes)
        } catch (error) {
          expect(error).toBeInstanceOf(RdpError)
        }
        await decided()
      }
      expect(failures).toEqual([])
    }),
    { numRuns: 300 },
  )
})
