import { createHash, timingSafeEqual } from 'node:crypto'
import { RdpError, Reader } from '../frames.ts'
import { readContent, tag } from './der.ts'
import { type Account, authenticateMessage, type Chance, negotiateMessage } from './ntlm.ts'
import { Sealer } from './seal.ts'
import { parseTsRequest, passwordCredentials, type TsRequest, writeTsRequest } from './ts-request.ts'

/**
 * CredSSP (MS-CSSP) as a client, over NTLMv2: both sides prove that they know the password, and that they see the same TLS
 * certificate, before the password itself goes out. Below version 5 they do not prove it well (CVE-2018-0886): refused.
 */
const ours = 6
const oldest = 5

interface NlaOptions {
  account: Account
  /** `TERMSRV/host` */
  service: string
  /** SubjectPublicKeyInfo (DER) of the certificate that the target showed in TLS. */
  publicKeyInfo: Buffer
  chance: Chance & {
    /** 32 bytes. */
    nonce: Buffer
  }
}

type NlaStep = { send: Buffer; done: boolean }

type State = { at: 'challenge' } | { at: 'proof'; sealed: { client: Sealer; server: Sealer } } | { at: 'done' }

/** Call `begin`, then `next` with each message of the target, until it is done. Errors are RdpErrors, in words. */
export class NlaClient {
  readonly #options: NlaOptions
  #state: State = { at: 'challenge' }

  constructor(options: NlaOptions) {
    this.#options = options
  }

  begin(): Buffer {
    return writeTsRequest({ version: ours, token: negotiateMessage })
  }

  next(message: Buffer): NlaStep {
    const request = parseTsRequest(message)
    if (request.errorCode !== undefined && request.errorCode !== 0) throw new RdpError(statusWords(request.errorCode))
    if (request.version < oldest) {
      throw new RdpError(
        `the target signs in with CredSSP ${request.version}, in which somebody in between could use the password (CVE-2018-0886). Update it`,
      )
    }
    const state = this.#state
    switch (state.at) {
      case 'challenge':
        return { send: this.#authenticate(request), done: false }
      case 'proof': {
        this.#verify(request, state.sealed.server)
        this.#state = { at: 'done' }
        const authInfo = state.sealed.client.seal(passwordCredentials(this.#options.account))
        return { send: writeTsRequest({ version: ours, authInfo }), done: true }
      }
      case 'done':
        throw new RdpError('the target goes on with a sign-in that is done')
      default:
        return state satisfies never
    }
  }

  #authenticate({ token }: TsRequest): Buffer {
    if (token === undefined) throw new RdpError('the target answered with no NTLM challenge')
    const { account, service, publicKeyInfo, chance } = this.#options
    const authenticate = authenticateMessage(token, account, service, chance)
    const sealed = {
      client: new Sealer(chance.sessionKey, 'client'),
      server: new Sealer(chance.sessionKey, 'server'),
    }
    this.#state = { at: 'proof', sealed }
    return writeTsRequest({
      version: ours,
      token: authenticate,
      pubKeyAuth: sealed.client.seal(binding('client', chance.nonce, publicKeyInfo)),
      clientNonce: chance.nonce,
    })
  }

  /** That who knows the password is who showed the certificate: the password goes to nobody else. */
  #verify({ pubKeyAuth }: TsRequest, sealed: Sealer): void {
    if (pubKeyAuth === undefined) throw new RdpError('the target did not prove that its certificate is its own')
    const { publicKeyInfo, chance } = this.#options
    const said = sealed.open(pubKeyAuth)
    const right = binding('server', chance.nonce, publicKeyInfo)
    if (said.length !== right.length || !timingSafeEqual(said, right)) {
      throw new RdpError('the target did not prove that its certificate is its own')
    }
  }
}

/** The hash that binds a sign-in to a certificate (MS-CSSP 3.1.5). */
export function binding(from: 'client' | 'server', nonce: Buffer, publicKeyInfo: Buffer): Buffer {
  const way = from === 'client' ? 'Client-To-Server' : 'Server-To-Client'
  return createHash('sha256')
    .update(`CredSSP ${way} Binding Hash\0`, 'latin1')
    .update(nonce)
    .update(subjectPublicKey(publicKeyInfo))
    .digest()
}

function subjectPublicKey(info: Buffer): Buffer {
  const r = new Reader(readContent(new Reader(info), tag.sequence))
  readContent(r, tag.sequence)
  // The first byte counts unused bits, of which a key has none.
  return readContent(r, tag.bitString).subarray(1)
}

const statuses = new Map([
  [0xc000006d, 'it does not take the user and password that this connection has for it'],
  [0xc000006a, 'it does not take the user and password that this connection has for it'],
  [0xc0000064, 'it does not take the user and password that this connection has for it'],
  [0xc000006e, 'the account may not sign in there now'],
  [0xc000006f, 'the account may not sign in at this time'],
  [0xc0000070, 'the account may not sign in from here'],
  [0xc0000071, 'the account’s password has expired'],
  [0xc0000072, 'the account is disabled'],
  [0xc0000193, 'the account has expired'],
  [0xc0000224, 'the account’s password has to be changed'],
  [0xc0000234, 'the account is locked'],
  [0xc000015b, 'the account may not sign in through Remote Desktop'],
  [0xc0000413, 'the account may not sign in to this machine'],
])

function statusWords(code: number): string {
  const hex = `0x${code.toString(16).toUpperCase().padStart(8, '0')}`
  const why = statuses.get(code)
  return why === undefined
    ? `the target refused the sign-in (NTSTATUS ${hex})`
    : `the target refused the sign-in: ${why} (NTSTATUS ${hex})`
}
