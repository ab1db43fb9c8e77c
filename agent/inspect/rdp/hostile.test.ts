import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { rewriteCapabilities } from './capabilities.ts'
import { clientInfo, parseClientInfo } from './client-info.ts'
import { ClipboardFilter } from './clipboard.ts'
import { DeviceFilter } from './devices.ts'
import { DynamicFilter } from './dynamic.ts'
import {
  connectionConfirm,
  parseConnectionConfirm,
  parseConnectionRequest,
  parseMcs,
  RdpError,
  slowPayload,
  u16,
  u32,
} from './frames.ts'
import { clientSettings, parseClientSettings, parseServerSettings, serverSettings } from './gcc.ts'
import { countFast, countSlow, noActivity } from './input.ts'
import { credential } from './testing/door.ts'
import { asked, connectInitial, demandActive, info, requestFor } from './testing/peers.ts'
import { UpdateReader } from './updates.ts'

/** What a hostile peer sends is understood, or refused with an RdpError: nothing else is thrown, and nothing larger than it is made. */

const envelope = {
  before: Buffer.from('0a0100020100300c020100020100020100020100', 'hex'),
  prelude: Buffer.from('14760a01010001c0004d63446e', 'hex'),
}
const answer = serverSettings(
  { ioChannel: 1003, channels: [], envelope, core: Buffer.from('04000800', 'hex') },
  asked.map((_, i) => 1004 + i),
  1,
)
const chunk = (message: Buffer, flags = 3): Buffer => Buffer.concat([u32(message.length), u32(flags), message])
const drives = Buffer.concat([
  u16(0x4472),
  u16(0x4441),
  u32(2),
  ...[8, 4].flatMap((type) => [u32(type), u32(1), Buffer.from('C:\0\0\0\0\0\0'), u32(4), u32(0)]),
])
const offer = Buffer.concat([u16(2), u16(0), u32(8), u32(13), u32(0)])
const create = chunk(Buffer.concat([Buffer.from([0x10, 7]), Buffer.from('AUDIO_INPUT\0')]))
const answered = chunk(Buffer.from([0x10, 7, 0, 0, 0, 0]))
const layout = chunk(Buffer.concat([Buffer.from([0x30, 7]), u32(2), u32(56), u32(40), u32(1), Buffer.alloc(40)]))
const bitmap = Buffer.concat([
  Buffer.from([0x01, 36, 0]),
  ...[1, 1, 0, 0, 1, 1, 2, 2, 24, 0, 14].map(u16),
  Buffer.alloc(14),
])

const peers: readonly [string, Buffer, (bytes: Buffer) => unknown][] = [
  ['Connection Request', requestFor(credential.username, 3), parseConnectionRequest],
  ['Connection Confirm', connectionConfirm(1), parseConnectionConfirm],
  [
    'settings of a client',
    connectInitial(),
    (bytes) => {
      const settings = parseClientSettings(bytes)
      return clientSettings(settings, settings.channels, 1)
    },
  ],
  ['settings of a target', answer, parseServerSettings],
  [
    'sign-in',
    info(credential),
    (bytes) => clientInfo(parseClientInfo(bytes), { domain: '', user: 'clerk', password: 'x' }, false),
  ],
  ['capabilities', demandActive(), (bytes) => rewriteCapabilities(bytes).bytes],
  ['MCS', answer, (bytes) => parseMcs(slowPayload(bytes))],
  ['pictures on the fast path', bitmap, (bytes) => new UpdateReader(() => undefined).fast(0, bytes)],
  ['pictures on the slow path', bitmap.subarray(3), (bytes) => new UpdateReader(() => undefined).slow(bytes)],
  [
    'input on the fast path',
    Buffer.from([0, 0x1e, 0x20, 0, 8, 1, 0, 2, 0]),
    (bytes) => countFast(8, bytes, noActivity()),
  ],
  [
    'input on the slow path',
    Buffer.concat([u16(1), u16(0), u32(0), u16(4), Buffer.alloc(6)]),
    (bytes) => countSlow(bytes, noActivity()),
  ],
  [
    'announced drives',
    chunk(drives),
    (bytes) =>
      new DeviceFilter(
        () => true,
        () => undefined,
      ).pass('client', bytes),
  ],
  ['an offered clipboard', chunk(offer), (bytes) => clipboard().pass('client', bytes)],
  ['a dynamic channel that is opened', create, (bytes) => dynamic().pass('server', bytes)],
  ['an answer about a dynamic channel', answered, (bytes) => dynamic().pass('client', bytes)],
  ['a layout of screens', layout, (bytes) => dynamic().pass('client', bytes)],
  [
    'a clipboard’s capabilities',
    chunk(Buffer.concat([u16(7), u16(0), u32(16), Buffer.alloc(16, 1)])),
    (bytes) => clipboard(false).pass('server', bytes),
  ],
]

function dynamic(): DynamicFilter {
  return new DynamicFilter({ opens: async () => true, allowed: () => true, failed: () => undefined }, () => undefined)
}

function clipboard(files = true): ClipboardFilter {
  return new ClipboardFilter(
    {
      allowed: () => true,
      filesAllowed: () => files,
      keepsText: () => true,
      crossed: () => undefined,
      refused: () => undefined,
    },
    () => undefined,
  )
}

/** Bytes changed, cut off, put in twice, or lengths made as large as they go. */
function mangled(valid: Buffer): fc.Arbitrary<Buffer> {
  const at = fc.nat(valid.length - 1)
  return fc.oneof(
    fc.array(fc.tuple(at, fc.nat(255)), { minLength: 1, maxLength: 5 }).map((changes) => {
      const bytes = Buffer.from(valid)
      for (const [place, value] of changes) bytes[place] = value
      return bytes
    }),
    at.map((end) => valid.subarray(0, end)),
    fc.tuple(at, at).map(([from, to]) => Buffer.concat([valid.subarray(0, to), valid.subarray(from)])),
    at.map((place) => {
      const bytes = Buffer.from(valid)
      bytes.subarray(place, place + 2).fill(0xff)
      return bytes
    }),
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  )
}

describe.each(peers)('%s', (_, valid, read) => {
  test('as it should be is taken', () => {
    if (valid !== answer || read === parseServerSettings) read(valid)
  })

  test('mangled is refused in words', () => {
    fc.assert(
      fc.property(mangled(valid), (bytes) => {
        try {
          const made = read(bytes)
          if (Buffer.isBuffer(made)) expect(made.length).toBeLessThan(bytes.length + 1_024)
        } catch (error) {
          expect(error).toBeInstanceOf(RdpError)
        }
      }),
      { numRuns: 500 },
    )
  })
})
