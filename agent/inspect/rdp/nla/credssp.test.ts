import { generateKeyPairSync } from 'node:crypto'
import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { RdpError } from '../frames.ts'
import { binding, NlaClient } from './credssp.ts'
import { der } from './der.ts'
import { responseKey } from './ntlm.ts'
import { Rc4 } from './rc4.ts'
import { hmacMd5, Sealer } from './seal.ts'
import { parseTsRequest, type TsRequest, writeTsRequest } from './ts-request.ts'

const account = { user: 'clerk', domain: 'HARBOUR', password: 'only the gateway knows' }
const keyInfo = (): Buffer =>
  generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ type: 'spki', format: 'der' })
const [shown, another] = [keyInfo(), keyInfo()]
const chance = {
  clientChallenge: Buffer.alloc(8, 1),
  sessionKey: Buffer.alloc(16, 2),
  nonce: Buffer.alloc(32, 3),
  time: 0n,
}

let client: NlaClient
beforeEach(() => {
  client = new NlaClient({ account, service: 'TERMSRV/desk', publicKeyInfo: shown, chance })
  client.begin()
})

function challenge(version = 6): Buffer {
  const token = Buffer.alloc(56)
  token.write('NTLMSSP\0', 'latin1')
  token.writeUInt32LE(2, 8)
  token.writeUInt32LE(0xe28a8233, 20)
  token.writeUInt32LE(56, 44)
  return writeTsRequest({ version, token })
}

/** What a server makes of the client's second message, knowing this password. */
function sessionKeyOf({ token = Buffer.alloc(0) }: TsRequest, password = account.password): Buffer {
  const field = (at: number): Buffer => {
    const from = token.readUInt32LE(at + 4)
    return token.subarray(from, from + token.readUInt16LE(at))
  }
  expect(field(28).toString('utf16le')).toBe(account.domain)
  expect(field(36).toString('utf16le')).toBe(account.user)
  const base = hmacMd5(responseKey({ ...account, password }), field(20).subarray(0, 16))
  return new Rc4(base).apply(field(52))
}

describe('the other side', () => {
  test('that knows the password and has the certificate gets the password', () => {
    const said = parseTsRequest(client.next(challenge()).send)
    const key = sessionKeyOf(said)
    const fromClient = new Sealer(key, 'client')
    expect(fromClient.open(said.pubKeyAuth ?? Buffer.alloc(0))).toEqual(binding('client', chance.nonce, shown))
    const pubKeyAuth = new Sealer(key, 'server').seal(binding('server', chance.nonce, shown))
    const step = client.next(writeTsRequest({ version: 6, pubKeyAuth }))
    expect(step.done).toBe(true)
    const credentials = fromClient.open(parseTsRequest(step.send).authInfo ?? Buffer.alloc(0)).toString('latin1')
    for (const text of [account.user, account.domain, account.password]) {
      expect(credentials).toContain(Buffer.from(text, 'utf16le').toString('latin1'))
    }
    expect(() => client.next(challenge())).toThrow(RdpError)
  })

  test.each([
    ['passes on a sign-in to who has another certificate', () => [account.password, 'server', another] as const],
    ['does not know the password', () => ['guessed', 'server', shown] as const],
    ['sends the client’s proof back', () => [account.password, 'client', shown] as const],
  ])('that %s gets nothing', (_, how) => {
    const [password, side, certificate] = how()
    const said = parseTsRequest(client.next(challenge()).send)
    const sealer = new Sealer(sessionKeyOf(said, password), 'server')
    const pubKeyAuth = sealer.seal(binding(side, chance.nonce, certificate))
    expect(() => client.next(writeTsRequest({ version: 6, pubKeyAuth }))).toThrow(/did not (prove|seal)/)
  })

  test('that speaks an old version is refused before anything is proved to it', () => {
    expect(() => client.next(challenge(4))).toThrow('CVE-2018-0886')
  })

  test('that leaves its proof out gets nothing', () => {
    client.next(challenge())
    expect(() => client.next(writeTsRequest({ version: 6 }))).toThrow('did not prove')
  })

  test.each([
    [0xc000006d, 'the user and password that this connection has for it (NTSTATUS 0xC000006D)'],
    [0xc0000234, 'the account is locked'],
    [0xc0000001, 'refused the sign-in (NTSTATUS 0xC0000001)'],
  ])('that refuses with %i is heard', (code, words) => {
    client.next(challenge())
    const bytes = Buffer.alloc(5)
    bytes.writeUInt32BE(code, 1)
    const refusal = der(0x30, der(0xa0, der(2, Buffer.from([6]))), der(0xa4, der(2, bytes)))
    expect(() => client.next(refusal)).toThrow(words)
  })
})

test('whatever a target sends is an error in words, or goes on without the password', () => {
  const valid = challenge()
  const mangled = fc.oneof(
    fc.uint8Array({ maxLength: 120 }).map((bytes) => Buffer.from(bytes)),
    fc.array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }).map((changes) => {
      const bytes = Buffer.from(valid)
      for (const [at, value] of changes) bytes[at] = value
      return bytes
    }),
    fc.nat(valid.length - 1).map((length) => valid.subarray(0, length)),
  )
  fc.assert(
    fc.property(fc.array(mangled, { minLength: 1, maxLength: 3 }), (messages) => {
      const nla = new NlaClient({ account, service: 'TERMSRV/desk', publicKeyInfo: shown, chance })
      try {
        for (const message of messages) expect(parseTsRequest(nla.next(message).send).authInfo).toBeUndefined()
      } catch (error) {
        expect(error).toBeInstanceOf(RdpError)
      }
    }),
    { numRuns: 2_000 },
  )
})
