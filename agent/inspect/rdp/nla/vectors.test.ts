import { describe, expect, test } from 'vitest'
import { md4 } from './md4.ts'
import { authenticateMessage, negotiateMessage, parseChallenge, prove, responseKey } from './ntlm.ts'
import { Rc4 } from './rc4.ts'
import { hmacMd5, Sealer } from './seal.ts'

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex')

test.each([
  ['', '31d6cfe0d16ae931b73c59d7e0c089c0'],
  ['a', 'bde52cb31de33e46245e05fbdbd6fb24'],
  ['abc', 'a448017aaf21d8525fc10ae87aa6729d'],
  ['message digest', 'd9130a8164549fe818874806e1c7014b'],
  ['abcdefghijklmnopqrstuvwxyz', 'd79e1c308aa5bbcdeea8ed63df412da9'],
  ['ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789', '043f8582f241db351ce627e153e7f0e4'],
  [
    '12345678901234567890123456789012345678901234567890123456789012345678901234567890',
    'e33b4ddc9c38f2199c3e7b164fcc0536',
  ],
])('MD4 of %j (RFC 1320, A.5)', (text, digest) => {
  expect(md4(Buffer.from(text)).toString('hex')).toBe(digest)
})

test.each([
  ['0102030405', 'b2396305f03dc027ccc3524a0a1118a8'],
  ['0102030405060708090a0b0c0d0e0f10', '9ac7cc9a609d1ef7b2932899cde41b97'],
])('RC4 with the key %s (RFC 6229)', (key, stream) => {
  const rc4 = new Rc4(hex(key))
  const zeros = Buffer.alloc(7)
  // In two calls: the stream goes on.
  expect(Buffer.concat([rc4.apply(zeros), rc4.apply(Buffer.alloc(9))]).toString('hex')).toBe(stream)
})

describe('MS-NLMP 4.2.4, NTLMv2', () => {
  const account = { user: 'User', domain: 'Domain', password: 'Password' }
  const serverChallenge = hex('0123456789abcdef')
  const clientChallenge = hex('aaaaaaaaaaaaaaaa')
  const sessionKey = Buffer.alloc(16, 0x55)
  const targetInfo = hex('02000c0044006f006d00610069006e0001000c005300650072007600650072000000 0000')
  const key = responseKey(account)

  test('password hash and response key', () => {
    expect(md4(Buffer.from('Password', 'utf16le'))).toEqual(hex('a4f49c406510bdcab6824ee7c30fd852'))
    expect(key).toEqual(hex('0c868a403bfd7a93a3001ef22ef02e3f'))
  })

  test('responses, session base key, encrypted session key', () => {
    const { response, sessionBaseKey } = prove(key, serverChallenge, clientChallenge, 0n, targetInfo)
    expect(response.subarray(0, 16)).toEqual(hex('68cd0ab851e51c96aabc927bebef6a1c'))
    expect(sessionBaseKey).toEqual(hex('8de40ccadbc14a82f15cb0ad0de95ca3'))
    expect(hmacMd5(key, serverChallenge, clientChallenge)).toEqual(hex('86c35097ac9cec102554764a57cccc19'))
    expect(new Rc4(sessionBaseKey).apply(sessionKey)).toEqual(hex('c5dad2544fc9799094ce1ce90bc9d03e'))
  })

  test('sealing', () => {
    const sealed = new Sealer(sessionKey, 'client').seal(Buffer.from('Plaintext', 'utf16le'))
    expect(sealed.subarray(16)).toEqual(hex('54e50165bf1936dc996020c1811b0f06fb5f'))
    expect(sealed.subarray(0, 16)).toEqual(hex('010000007fb38ec5c55d497600000000'))
    expect(new Sealer(sessionKey, 'client').open(sealed).toString('utf16le')).toBe('Plaintext')
    sealed[20] = (sealed[20] ?? 0) ^ 1
    expect(() => new Sealer(sessionKey, 'client').open(sealed)).toThrow('did not seal')
  })

  const challenge = (flags: number, info = targetInfo): Buffer => {
    const head = Buffer.alloc(56)
    head.write('NTLMSSP\0', 'latin1')
    head.writeUInt32LE(2, 8)
    head.writeUInt32LE(flags, 20)
    serverChallenge.copy(head, 24)
    head.writeUInt16LE(info.length, 40)
    head.writeUInt32LE(56, 44)
    return Buffer.concat([head, info])
  }
  const chance = { clientChallenge, sessionKey, time: 0n }

  test('a challenge is read; one that would not seal with 128 bits is refused', () => {
    expect(parseChallenge(challenge(0xe28a8233))).toEqual({ flags: 0xe28a8233, serverChallenge, targetInfo })
    for (const bit of [0x1, 0x20, 0x80000, 0x20000000, 0x40000000]) {
      expect(() => parseChallenge(challenge((0xe28a8233 & ~bit) >>> 0))).toThrow('less than NTLMv2')
    }
    for (let end = 0; end < 60; end++) {
      expect(() => parseChallenge(challenge(0xe28a8233).subarray(0, end))).toThrow(/middle of a field|no NTLM/)
    }
  })

  test('where the target says what time it is, the whole exchange is signed', () => {
    const at = Buffer.alloc(12)
    at.writeUInt16LE(7)
    at.writeUInt16LE(8, 2)
    at.writeBigUInt64LE(133_000_000_000_000_000n, 4)
    const theirs = challenge(0xe28a8233, Buffer.concat([at, targetInfo]))
    const message = authenticateMessage(theirs, account, 'TERMSRV/desk', chance)
    const mic = Buffer.from(message.subarray(72, 88))
    message.fill(0, 72, 88)
    expect(hmacMd5(sessionKey, negotiateMessage, theirs, message)).toEqual(mic)
    const nt = message.subarray(message.readUInt32LE(24), message.readUInt32LE(24) + message.readUInt16LE(20))
    expect(nt.readBigUInt64LE(24)).toBe(133_000_000_000_000_000n)
    expect(nt.toString('utf16le')).not.toContain('Password')
  })
})
