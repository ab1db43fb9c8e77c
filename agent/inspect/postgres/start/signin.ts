import { createHash } from 'node:crypto'
import type { Duplex } from 'node:stream'
import { cancelKeyBytes } from '../../../../shared/postgres/startup.ts'
import { FrameError, FrameScanner, NONE } from '../frames.ts'
import {
  backend,
  cstring,
  frontend,
  int32,
  int32At,
  message,
  readFields,
  readParameterStatus,
  zeroAt,
} from '../messages.ts'
import { type Binding, type SaltedPasswords, type Scram, scram } from './scram.ts'
import { writeStartup } from './startup.ts'
import { channelBinding } from './tls.ts'

/**
 * Sign-in at the target with the credentials that the connection holds, up to the first ReadyForQuery:
 *
 *   R AuthenticationXXX   kind:int32: 0 ok, 3 cleartext, 5 md5 salt:4, 10 SASL (mechanism\0)* \0, 11 continue, 12 final
 */
export interface SignedIn {
  /** Every ParameterStatus that the target sent. */
  parameters: Map<string, string>
  processId: number
  secret: Uint8Array
  notices: SignInNotices
}

/** NoticeResponses to who was let in: of a collation that has changed, or of a login trigger. */
export interface SignInNotices {
  /** Before the target's first ParameterStatus. */
  before: Buffer[]
  behind: Buffer[]
}

/** Why the target did not let us in, in words for people. */
export class SignInError extends Error {
  override readonly name = 'SignInError'
  readonly sqlstate: string
  /** DETAIL and HINT of the target's. */
  readonly more: { detail?: string | undefined; hint?: string | undefined }
  constructor(message: string, sqlstate = '08004', more: SignInError['more'] = {}) {
    super(message)
    this.sqlstate = sqlstate
    this.more = more
  }
}

/** No sign-in message is longer, notices included; a hostile target can't make us hold more. */
const longest = 256 * 1024
const mostMessages = 1_000
/** Nor is all of it together: a PostgreSQL says less than 1 KiB. */
const mostBytes = 1 << 20

export interface Credentials {
  user: string
  password: string
  /** The newest protocol that the target is asked for; 3.0 if unsaid. It may settle for an older one. */
  maxProtocol?: '3.0' | '3.2'
}

/** Rejects with SignInError; `signal` is the deadline. Leaves the stream paused, with nothing read beyond ReadyForQuery. */
export function signIn(
  stream: Duplex,
  credentials: Credentials,
  parameters: ReadonlyMap<string, string>,
  salted: SaltedPasswords,
  signal: AbortSignal,
): Promise<SignedIn> {
  return new Promise((resolve, reject) => {
    const scanner = new FrameScanner((_, size) => {
      if (size > longest) throw new FrameError(`a sign-in message of ${size} bytes`)
      return 'whole'
    })
    const talk = new Conversation(credentials, salted, channelBinding(stream))
    let working = false
    let bytes = 0
    const settle = (act: () => void): void => {
      stream.off('data', onData)
      stream.off('end', onEnd)
      stream.off('close', onEnd)
      stream.off('error', onError)
      signal.removeEventListener('abort', onAbort)
      stream.pause()
      act()
    }
    const fail = (error: unknown): void => settle(() => reject(asSignInError(error)))
    const onError = (): void => fail(new SignInError('The target hung up during sign-in.', '08006'))
    const onEnd = (): void => fail(new SignInError('The target hung up during sign-in.', '08006'))
    const onAbort = (): void => fail(new SignInError('The target did not finish sign-in in time.', '08006'))
    const onData = (chunk: Buffer): void => {
      bytes += chunk.length
      if (bytes > mostBytes) {
        fail(new FrameError(`more than ${mostBytes} bytes before it let us in`))
        return
      }
      scanner.push(chunk)
      if (!working) work().catch(fail)
    }
    const work = async (): Promise<void> => {
      working = true
      while (scanner.next() !== NONE) {
        if (scanner.end - scanner.start > longest) throw new FrameError('a sign-in message that is too long')
        const answer = await talk.hear(scanner.type, scanner.buf, scanner.start, scanner.end)
        if (answer === 'ready') {
          if (!scanner.atBoundary) throw new FrameError('bytes after sign-in that nobody asked for')
          settle(() => resolve(talk.result()))
          return
        }
        if (answer !== undefined) stream.write(answer)
      }
      working = false
    }
    stream.on('data', onData)
    stream.on('end', onEnd)
    stream.on('close', onEnd)
    stream.on('error', onError)
    signal.addEventListener('abort', onAbort)
    if (signal.aborted) onAbort()
    else {
      stream.write(writeStartup(parameters, talk.minor))
      stream.resume()
    }
  })
}

function asSignInError(error: unknown): SignInError {
  if (error instanceof SignInError) return error
  return new SignInError(`Sign-in at the target failed: ${error instanceof Error ? error.message : String(error)}.`)
}

type Phase = 'asked' | 'scram-first' | 'scram-final' | 'password' | 'in'

/** The state of one sign-in: hears a message, says what to answer. */
class Conversation {
  readonly #credentials: Credentials
  readonly #salted: SaltedPasswords
  readonly #binding: Buffer | undefined
  readonly #parameters = new Map<string, string>()
  /** The minor version of the protocol that was asked for, then the one that was agreed on. */
  minor: number
  #negotiated = false
  #phase: Phase = 'asked'
  #scram: Scram | undefined
  #scramDone = false
  readonly #notices: SignInNotices = { before: [], behind: [] }
  #processId = 0
  #secret: Uint8Array = new Uint8Array()
  #count = 0

  constructor(credentials: Credentials, salted: SaltedPasswords, binding: Buffer | undefined) {
    this.#binding = binding
    this.#credentials = credentials
    this.#salted = salted
    this.minor = credentials.maxProtocol === '3.2' ? 2 : 0
  }

  result(): SignedIn {
    return {
      parameters: this.#parameters,
      processId: this.#processId,
      secret: this.#secret,
      notices: this.#notices,
    }
  }

  async hear(type: number, buf: Buffer, start: number, end: number): Promise<Buffer | 'ready' | undefined> {
    if (++this.#count > mostMessages) throw new SignInError('The target sent messages without end during sign-in.')
    switch (type) {
      case backend.authentication:
        return this.#authentication(buf, start, end)
      case backend.error: {
        const fields = readFields(buf, start, end)
        const code = fields.get('C') ?? '08004'
        // The target's own words would name the account that the connection holds.
        if (code.startsWith('28')) throw new SignInError('The target refused the credentials of this connection.', code)
        throw new SignInError(`The target refused the session: ${fields.get('M') ?? 'no reason given'}`, code, {
          detail: fields.get('D'),
          hint: fields.get('H'),
        })
      }
      case backend.notice:
        if (this.#phase !== 'in') return undefined
        this.#notices[this.#parameters.size === 0 ? 'before' : 'behind'].push(Buffer.from(buf.subarray(start, end)))
        return undefined
      case backend.negotiateProtocolVersion:
        this.#negotiate(int32At(buf, start + 5, end), int32At(buf, start + 9, end))
        return undefined
      default:
        break
    }
    if (this.#phase !== 'in') throw new FrameError('a message that has no place before sign-in')
    switch (type) {
      case backend.parameterStatus: {
        const [name, value] = readParameterStatus(buf, start, end)
        this.#parameters.set(name, value)
        return undefined
      }
      case backend.backendKeyData: {
        if (this.#secret.length > 0) throw new FrameError('a second cancel key')
        this.#processId = int32At(buf, start + 5, end)
        this.#secret = Buffer.from(buf.subarray(start + 9, end))
        const { length } = this.#secret
        if (length < cancelKeyBytes.least || length > cancelKeyBytes.most) {
          throw new FrameError(`a cancel key of ${this.#secret.length} bytes`)
        }
        return undefined
      }
      case backend.readyForQuery:
        return 'ready'
      default:
        throw new FrameError('a message that has no place in sign-in')
    }
  }

  /** The target settles for an older protocol; nothing but a version was asked for, so there is nothing else to turn down. */
  #negotiate(version: number, unknown: number): void {
    const minor = version & 0xffff
    if (this.#negotiated || this.#phase === 'in' || version >> 16 !== 3 || minor >= this.minor || unknown !== 0) {
      throw new FrameError('a protocol that was not asked for')
    }
    this.#negotiated = true
    this.minor = minor
  }

  async #authentication(buf: Buffer, start: number, end: number): Promise<Buffer | undefined> {
    const kind = int32At(buf, start + 5, end)
    const body = start + 9
    const { user, password } = this.#credentials
    switch (kind) {
      case 0:
        if (this.#scram !== undefined && !this.#scramDone) {
          throw new SignInError('The target let us in without proving that it knows the password.')
        }
        if (this.#phase === 'in') throw new FrameError('sign-in that ended twice')
        this.#phase = 'in'
        return undefined
      case 3:
        this.#expect('asked', 'password')
        return message(frontend.password, cstring(password))
      case 5: {
        this.#expect('asked', 'password')
        if (end - body !== 4) throw new FrameError('an md5 salt of the wrong length')
        const inner = md5(Buffer.from(password + user))
        return message(
          frontend.password,
          cstring(`md5${md5(Buffer.concat([Buffer.from(inner), buf.subarray(body, end)]))}`),
        )
      }
      case 10: {
        this.#expect('asked', 'scram-first')
        const mechanisms = readMechanisms(buf, body, end)
        const plus = this.#binding !== undefined && mechanisms.includes('SCRAM-SHA-256-PLUS')
        if (!plus && !mechanisms.includes('SCRAM-SHA-256')) {
          throw new SignInError(`The target offers no sign-in that is spoken here (${mechanisms.join(', ')}).`)
        }
        const binding: Binding =
          this.#binding === undefined
            ? { kind: 'none' }
            : plus
              ? { kind: 'bound', data: this.#binding }
              : { kind: 'unoffered' }
        this.#scram = scram(password, this.#salted, { binding })
        const first = Buffer.from(this.#scram.first)
        const mechanism = plus ? 'SCRAM-SHA-256-PLUS' : 'SCRAM-SHA-256'
        return message(frontend.password, cstring(mechanism), int32(first.length), first)
      }
      case 11: {
        this.#expect('scram-first', 'scram-final')
        if (this.#scram === undefined) throw new FrameError('SCRAM that never began')
        const answer = await this.#scram.answer(buf.toString('utf8', body, end))
        return message(frontend.password, Buffer.from(answer))
      }
      case 12:
        this.#expect('scram-final', 'scram-final')
        this.#scram?.verify(buf.toString('utf8', body, end))
        this.#scramDone = true
        return undefined
      default:
        throw new SignInError(`The target asks for a sign-in (${kind}) that is not spoken here.`)
    }
  }

  #expect(phase: Phase, next: Phase): void {
    if (this.#phase !== phase) throw new FrameError('a sign-in step out of order')
    this.#phase = next
  }
}

function readMechanisms(buf: Buffer, at: number, end: number): string[] {
  const names: string[] = []
  let pos = at
  while (pos < end && buf[pos] !== 0) {
    const nameEnd = zeroAt(buf, pos, end)
    names.push(buf.toString('latin1', pos, nameEnd))
    pos = nameEnd + 1
  }
  return names
}

function md5(data: Buffer): string {
  return createHash('md5').update(data).digest('hex')
}
