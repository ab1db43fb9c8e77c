import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { splitUser } from './enter.ts'
import { fatal, maxStartupBytes, StartupError, takePassword, takeStartup } from './startup.ts'

function packet(code: number, rest: Buffer): Buffer {
  const head = Buffer.alloc(8)
  head.writeUInt32BE(rest.byteLength + 8, 0)
  head.writeUInt32BE(code, 4)
  return Buffer.concat([head, rest])
}

const startup = packet(3 << 16, Buffer.from('user\0ada\0database\0orders-db\0\0'))

describe('start-up packets', () => {
  test('nothing is taken before the last byte is there, and nothing after it', () => {
    for (let end = 0; end < startup.byteLength; end++) {
      expect(takeStartup(startup.subarray(0, end))).toBeUndefined()
    }
    const taken = takeStartup(Buffer.concat([startup, Buffer.from('more')]))
    expect(taken?.size).toBe(startup.byteLength)
    expect(taken?.packet).toEqual({
      kind: 'startup',
      minor: 0,
      parameters: new Map([
        ['user', 'ada'],
        ['database', 'orders-db'],
      ]),
    })
  })

  test.each([
    ['a length that is too small', Buffer.from([0, 0, 0, 7, 0, 0, 0, 0])],
    ['a length that is too large', Buffer.from([0, 0, 0x27, 0x11, 0, 3, 0, 0])],
    ['a length that would be negative', Buffer.from([0xff, 0xff, 0xff, 0xff])],
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['protocol 2', packet(2 << 16, Buffer.from('\0'))],
    ['no terminator', packet(3 << 16, Buffer.from('user\0ada\0'))],
    ['a name without a value', packet(3 << 16, Buffer.from('user\0\0'))],
    ['a user said twice', packet(3 << 16, Buffer.from('user\0ada\0user\0root\0\0'))],
    ['a cancel without its key', packet(80_877_102, Buffer.alloc(4))],
  ])('%s is refused', (_name, bytes) => {
    expect(() => takeStartup(bytes)).toThrow(StartupError)
  })

  test('a client that changes its mind says goodbye, whole or in pieces', () => {
    const goodbye = Buffer.from([0x58, 0, 0, 0, 4])
    for (let end = 0; end < goodbye.length; end++) expect(takeStartup(goodbye.subarray(0, end))).toBeUndefined()
    expect(takeStartup(goodbye)).toEqual({ packet: { kind: 'terminate' }, size: 5 })
    expect(() => takeStartup(Buffer.from([0x58, 0, 0, 0, 5]))).toThrow(StartupError)
  })

  test('a cancel request keeps the whole key, also the long ones of protocol 3.2', () => {
    const key = Buffer.alloc(256, 7)
    const taken = takeStartup(packet(80_877_102, Buffer.concat([Buffer.from([0xff, 0xff, 0xff, 0xfe]), key])))
    expect(taken?.packet).toEqual({ kind: 'cancel', processId: -2, secret: key })
  })

  test('whatever comes, it is taken, waited for or refused, within the bound', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        try {
          const taken = takeStartup(Buffer.from(bytes))
          if (taken !== undefined) expect(taken.size).toBeLessThanOrEqual(Math.min(bytes.length, maxStartupBytes))
        } catch (error) {
          expect(error).toBeInstanceOf(StartupError)
        }
      }),
    )
  })
})

test('a password message is bounded and ends in NUL', () => {
  const password = (text: string) => {
    const body = Buffer.from(`${text}\0`)
    const head = Buffer.alloc(5)
    head.write('p')
    head.writeUInt32BE(body.byteLength + 4, 1)
    return Buffer.concat([head, body])
  }
  expect(takePassword(password('spt_x').subarray(0, 8))).toBeUndefined()
  expect(takePassword(Buffer.concat([password('spt_x'), Buffer.from('Q')]))).toEqual({ packet: 'spt_x', size: 11 })
  expect(() => takePassword(Buffer.from('Q'))).toThrow(StartupError)
  expect(() => takePassword(password('x'.repeat(2_000)))).toThrow(StartupError)
  expect(() => takePassword(Buffer.from([0x70, 0, 0, 0, 5, 65]))).toThrow(StartupError)
})

test('an error message holds its fields and no byte that would end one early', () => {
  const bytes = fatal('28P01', 'a\0b', undefined)
  expect(bytes.toString('utf8', 5)).toBe('SFATAL\0VFATAL\0C28P01\0Mab\0\0')
  expect(bytes.readUInt32BE(1)).toBe(bytes.byteLength - 1)
})

test('user%connection', () => {
  expect(splitUser('ada%web-1')).toEqual({ user: 'ada', connection: 'web-1' })
  expect(splitUser('50%off%web-1')).toEqual({ user: '50%off', connection: 'web-1' })
  expect(splitUser('ada')).toEqual({ user: 'ada', connection: undefined })
})
