import type { ParsedKey } from 'ssh2'
import utils from 'ssh2/lib/protocol/utils.js'
import { encode, FrameError, message, Reader, requestData } from './frames.ts'
import { disconnectCode, type Transport } from './transport.ts'

const authService = 'ssh-userauth'
const connectionService = 'ssh-connection'

/** Who a client says it is, and with what. */
export type Attempt = { user: string; password: string }

export interface ServerAuthOptions {
  /** `open`: anyone is let in, the stream was authenticated already. `password`: password or keyboard-interactive. */
  mode: 'open' | 'password'
  /** Asked for each password; false with words, or true. Never called twice at a time. */
  check(attempt: Attempt): Promise<{ ok: true } | { ok: false; reason: string }>
  entered(user: string): void
  maxTries: number
}

/** A person who types needs this; a token pasted needs less. */
const prompt = 'Session token: '
/** Bounds requests that are no password at all (`none`, public keys offered one by one). */
const maxRequests = 20

/** The server's side of RFC 4252. Feed it payloads until `entered` is called. */
export class ServerAuth {
  readonly #transport: Transport
  readonly #options: ServerAuthOptions
  #serviceAccepted = false
  #busy = false
  #asked: string | undefined
  #tries = 0
  #requests = 0

  constructor(transport: Transport, options: ServerAuthOptions) {
    this.#transport = transport
    this.#options = options
  }

  /** Throws FrameError for anything out of order. */
  payload(payload: Buffer): void {
    const r = new Reader(payload, 1)
    switch (payload[0]) {
      case message.extInfo:
        return
      case message.serviceRequest: {
        const service = r.text()
        if (this.#serviceAccepted || service !== authService) throw new FrameError('a service that is not offered')
        this.#serviceAccepted = true
        this.#transport.send(encode(message.serviceAccept, [service]))
        return
      }
      case message.userauthRequest:
        if (!this.#serviceAccepted) throw new FrameError('a sign-in before its service')
        this.#request(r)
        return
      case message.userauthInfoResponse:
        this.#infoResponse(r)
        return
      default:
        throw new FrameError('a message before the sign-in')
    }
  }

  #request(r: Reader): void {
    const user = r.text()
    const service = r.text()
    const method = r.text()
    if (service !== connectionService) throw new FrameError('a service that is not offered')
    if (this.#busy) throw new FrameError('a second sign-in while one is being checked')
    this.#requests += 1
    if (this.#requests > maxRequests) {
      this.#leave('Too many sign-in attempts on one connection.')
      return
    }
    this.#asked = undefined
    if (this.#options.mode === 'open') {
      this.#enter(user)
      return
    }
    switch (method) {
      case 'password':
        if (r.bool()) this.#fail()
        else this.#check({ user, password: r.text() })
        return
      case 'keyboard-interactive':
        this.#asked = user
        this.#transport.send(encode(message.userauthInfoRequest, ['', '', '', 1, prompt, false]))
        return
      default:
        this.#fail()
    }
  }

  #infoResponse(r: Reader): void {
    const user = this.#asked
    if (user === undefined || this.#busy) throw new FrameError('an answer to no question')
    this.#asked = undefined
    if (r.u32() !== 1) throw new FrameError('an answer to another question')
    this.#check({ user, password: r.text() })
  }

  #check(attempt: Attempt): void {
    this.#busy = true
    this.#tries += 1
    this.#options
      .check(attempt)
      .then((result) => this.#checked(attempt, result))
      .catch(() => this.#leave('The sign-in could not be checked. Nothing was opened; try again.'))
  }

  #checked(attempt: Attempt, result: Awaited<ReturnType<ServerAuthOptions['check']>>): void {
    this.#busy = false
    if (this.#transport.closed) return
    if (result.ok) {
      this.#enter(attempt.user)
      return
    }
    // A failure alone is all that the protocol says; the banner is where a client shows words.
    this.#transport.send(encode(message.userauthBanner, [`sallyport: ${result.reason}\r\n`, '']))
    if (this.#tries >= this.#options.maxTries) this.#leave(`Too many sign-in attempts. ${result.reason}`)
    else this.#fail()
  }

  #leave(reason: string): void {
    this.#transport.close(reason, disconnectCode.noMoreAuthMethods)
  }

  #enter(user: string): void {
    this.#transport.send(encode(message.userauthSuccess, []))
    this.#options.entered(user)
  }

  #fail(): void {
    this.#transport.send(encode(message.userauthFailure, ['password,keyboard-interactive', false]))
  }
}

/** The client's side: one public key. */
export class ClientAuth {
  readonly #transport: Transport
  readonly #user: string
  readonly #key: ParsedKey
  readonly #entered: () => void
  #algorithms: string[] | undefined

  constructor(transport: Transport, user: string, key: ParsedKey, entered: () => void) {
    this.#transport = transport
    this.#user = user
    this.#key = key
    this.#entered = entered
  }

  start(): void {
    this.#transport.send(encode(message.serviceRequest, [authService]))
  }

  /** Throws FrameError for anything out of order. */
  payload(payload: Buffer): void {
    switch (payload[0]) {
      case message.extInfo:
      case message.userauthBanner:
        return
      case message.serviceAccept:
        this.#tryNext()
        return
      case message.userauthSuccess:
        if (this.#algorithms === undefined) throw new FrameError('a welcome before the sign-in')
        this.#entered()
        return
      case message.userauthFailure:
        this.#tryNext()
        return
      default:
        throw new FrameError('a message before the sign-in')
    }
  }

  #tryNext(): void {
    // A host that does not say which RSA signatures it takes (EXT_INFO) still takes one of these two.
    this.#algorithms ??= this.#key.type === 'ssh-rsa' ? ['rsa-sha2-512', 'rsa-sha2-256'] : [this.#key.type]
    const algorithm = this.#algorithms.shift()
    if (algorithm === undefined) {
      this.#transport.close(`The host did not accept the key that this connection signs in with as ${this.#user}.`)
      return
    }
    const fields = [this.#user, connectionService, 'publickey', true, algorithm, this.#key.getPublicSSH()]
    const request = encode(message.userauthRequest, fields)
    const signed = Buffer.concat([requestData([this.#transport.sessionId]), request])
    const raw = this.#key.sign(signed, hashOf(algorithm))
    if (raw instanceof Error) throw raw
    const signature = utils.convertSignature(raw, this.#key.type)
    if (signature === undefined || signature === false) throw new Error('The signature could not be encoded.')
    this.#transport.send(Buffer.concat([request, requestData([requestData([algorithm, signature])])]))
  }
}

/** RSA names its hash in the algorithm; other keys know their own. */
function hashOf(algorithm: string): string | undefined {
  switch (algorithm) {
    case 'rsa-sha2-512':
      return 'sha512'
    case 'rsa-sha2-256':
      return 'sha256'
    default:
      return undefined
  }
}
