import type { Answer, Learned } from './learn.ts'
import { type Frame, frame, framesOf, startupLength, textAt } from './wire.ts'

/**
 * A PostgreSQL that says what a real one said: it keeps the protocol's state (names, skipping, transactions, COPY) and
 * answers texts from what was recorded. A text that was never recorded does not parse.
 */
export class ModelTarget {
  readonly #learned: Learned
  readonly #onRun: (text: string) => void
  #held: Buffer = Buffer.alloc(0)
  #signedIn = false
  #out: Buffer[] = []
  #statements = new Map<string, string>()
  #portals = new Map<string, string>()
  #skipping = false
  #status: 'I' | 'T' | 'E' = 'I'
  #copying: 'no' | 'simple' | 'extended' = 'no'
  /** The client's stream was no sequence of frames, or held a type that no client sends. */
  fault: string | undefined
  left = false
  /** It was sent a password, for which it never asks: somebody else did in its name. */
  gotPassword = false
  /** The type of a message that was no COPY data while that was due: lost here, and believed to be read by who sent it. */
  lost: string | undefined
  /** Whole frames that arrived. */
  frames = 0

  /** `onRun` is told of every text that runs, before it is answered. */
  constructor(learned: Learned, onRun: (text: string) => void) {
    this.#learned = learned
    this.#onRun = onRun
  }

  hear(chunk: Buffer): void {
    this.#held = Buffer.concat([this.#held, chunk])
    if (!this.#signedIn) {
      const length = startupLength(this.#held)
      if (length === 0 || this.#held.length < length) return
      this.#held = this.#held.subarray(length)
      this.#signedIn = true
      this.#out.push(frame('R', Buffer.alloc(4)), ...this.#learned.greeting)
      this.#out.push(frame('K', Buffer.from([0, 0, 0, 7, 1, 2, 3, 4])), this.#ready())
    }
    const read = framesOf(this.#held)
    if (read === undefined) {
      this.fault = 'a length that is none'
      return
    }
    this.#held = read.rest
    for (const one of read.frames) this.#take(one)
  }

  /** A frame began that is not whole. */
  get inFrame(): boolean {
    return this.#held.length > 0
  }

  /** Everything that it has to say, frame by frame. */
  take(): Buffer[] {
    const out = this.#out
    this.#out = []
    return out
  }

  #take(one: Frame): void {
    this.frames++
    if (this.left) {
      this.fault = `a message of type ${one.type} after Terminate`
      return
    }
    if (one.type === 'X') this.left = true
    else if (one.type === 'p') this.gotPassword = true
    else if (this.#copying !== 'no') this.#copy(one)
    else if (one.type === 'S') {
      this.#skipping = false
      this.#out.push(this.#ready())
    } else if (!this.#skipping) this.#ask(one)
    else if (!'PBDECHQFdcf'.includes(one.type)) this.fault = `a message of type ${JSON.stringify(one.type)}`
  }

  #copy(one: Frame): void {
    switch (one.type) {
      case 'd':
      case 'H':
        return
      case 'S':
        if (this.#copying === 'simple') this.lost = one.type
        return
      case 'c':
        this.#endCopy(frame('C', Buffer.from('COPY 1\0')))
        return
      case 'f':
        this.#endCopy(error('57014', 'COPY from stdin failed'))
        return
      default: {
        // As PostgreSQL: the message that is no COPY data is lost.
        this.lost = one.type
        this.#endCopy(error('08P01', `unexpected message type 0x${one.bytes.toString('hex', 0, 1)} during COPY`))
      }
    }
  }

  #endCopy(answer: Buffer): void {
    const simple = this.#copying === 'simple'
    this.#copying = 'no'
    if (answer[0] === 0x45) this.#fail(answer, simple)
    else this.#out.push(answer)
    if (simple) this.#out.push(this.#ready())
  }

  #ask(one: Frame): void {
    switch (one.type) {
      case 'Q':
        this.#query(textAt(one, 5).text)
        return
      case 'P': {
        const name = textAt(one, 5)
        const { text } = textAt(one, name.next)
        const known = this.#answer(text)
        if (name.text === '') this.#statements.delete('')
        if (known?.parseError !== undefined) this.#fail(known.parseError)
        else if (known === undefined && text !== '') this.#fail(error('42601', 'syntax error'))
        else if (this.#status === 'E' && !ending.test(text)) this.#fail(aborted)
        else if (name.text !== '' && this.#statements.has(name.text)) this.#fail(error('42P05', 'it already exists'))
        else {
          this.#statements.set(name.text, text)
          this.#out.push(frame('1', nothing))
        }
        return
      }
      case 'B': {
        const portal = textAt(one, 5)
        const text = this.#statements.get(textAt(one, portal.next).text)
        if (text === undefined) this.#fail(error('26000', 'prepared statement does not exist'))
        else if (this.#status === 'E' && !ending.test(text)) this.#fail(aborted)
        else if (portal.text !== '' && this.#portals.has(portal.text)) this.#fail(error('42P03', 'it already exists'))
        else {
          this.#portals.set(portal.text, text)
          this.#out.push(frame('2', nothing))
        }
        return
      }
      case 'D':
        this.#describe(one)
        return
      case 'E':
        this.#execute(textAt(one, 5).text)
        return
      case 'C':
        ;(one.bytes[5] === 0x53 ? this.#statements : this.#portals).delete(textAt(one, 6).text)
        this.#out.push(frame('3', nothing))
        return
      case 'F':
        this.#onRun('function call')
        this.#fail(error('42883', 'function does not exist'), true)
        this.#out.push(this.#ready())
        return
      case 'H':
      case 'd':
      case 'c':
      case 'f':
        return
      default:
        this.fault = `a message of type ${JSON.stringify(one.type)}`
    }
  }

  #query(text: string): void {
    const simple = this.#answer(text)?.simple
    if (text.trim() === '') this.#out.push(frame('I', nothing))
    else if (this.#status === 'E' && !ending.test(text)) this.#fail(aborted, true)
    else if (simple === undefined) this.#fail(error('42601', 'syntax error'), true)
    else {
      this.#onRun(text)
      if (this.#say(simple, true)) {
        this.#copying = 'simple'
        return
      }
    }
    this.#out.push(this.#ready())
  }

  #describe(one: Frame): void {
    const statement = one.bytes[5] === 0x53
    const text = (statement ? this.#statements : this.#portals).get(textAt(one, 6).text)
    if (text === undefined) {
      this.#fail(error(statement ? '26000' : '34000', 'it does not exist'))
      return
    }
    const known = this.#answer(text)
    if (known?.description === undefined && known?.result?.some((bytes) => bytes[0] === 0x44)) {
      // Run and never described, as the inspector's own questions are: that it has no rows would be a lie.
      this.#fail(error('55000', 'never recorded'))
      return
    }
    if (statement) this.#out.push(known?.parameters ?? frame('t', Buffer.from([0, 0])))
    this.#out.push(known?.description ?? frame('n', nothing))
  }

  #execute(portal: string): void {
    const text = this.#portals.get(portal)
    if (text === undefined) {
      this.#fail(error('34000', 'portal does not exist'))
      return
    }
    if (text === '') {
      this.#out.push(frame('I', nothing))
      return
    }
    const result = this.#answer(text)?.result
    if (result === undefined) {
      // Described and never run: it has an error instead of rows that nobody saw.
      this.#onRun(text)
      this.#fail(error('55000', 'never recorded'))
      return
    }
    this.#onRun(text)
    if (this.#say(result, false)) this.#copying = 'extended'
  }

  /** True when COPY data is due. */
  #say(frames: readonly Buffer[], simple: boolean): boolean {
    for (const bytes of frames) {
      if (bytes[0] === 0x45) {
        this.#fail(bytes, simple)
        return false
      }
      this.#out.push(bytes)
      if (bytes[0] === 0x47) return true
      if (bytes[0] === 0x43) this.#transaction(bytes.toString('latin1', 5, bytes.length - 1))
    }
    return false
  }

  #transaction(tag: string): void {
    if (tag === 'BEGIN') this.#status = 'T'
    else if (tag === 'COMMIT' || tag === 'ROLLBACK') this.#status = 'I'
    // Portals do not outlive a transaction; the model ends them with the segment instead (see #ready).
  }

  #fail(bytes: Buffer, simple = false): void {
    this.#out.push(bytes)
    if (this.#status === 'T') this.#status = 'E'
    if (!simple) this.#skipping = true
  }

  #ready(): Buffer {
    if (this.#status === 'I') this.#portals.clear()
    return frame('Z', Buffer.from(this.#status))
  }

  #answer(text: string): Answer | undefined {
    return this.#learned.answers.get(text)
  }
}

/** What PostgreSQL still runs in a failed transaction. */
const ending = /^\s*(rollback|commit|end|abort)\b/i
const nothing = Buffer.alloc(0)
const aborted = error('25P02', 'current transaction is aborted')

export function error(sqlstate: string, message: string): Buffer {
  return frame('E', Buffer.from(`SERROR\0VERROR\0C${sqlstate}\0M${message}\0\0`))
}
