import type { RecordingEvent } from '../../shared/recording.ts'

type Of<Type extends RecordingEvent['type']> = Extract<RecordingEvent, { type: Type }>

/** Policies, masks and tables mostly come with the next statement again, as the same object, which is never changed in an event. */
class Last {
  #value: object | undefined
  #json: Uint8Array = none

  of(value: object): Uint8Array {
    if (value !== this.#value) {
      this.#json = Buffer.from(JSON.stringify(value))
      this.#value = value
    }
    return this.#json
  }
}

const none = new Uint8Array(0)
const smallest = 4096

/**
 * Events as lines of a recording, on their way to the operating system. What every statement writes is put together by hand, byte by
 * byte: its strings, and their way to bytes, were a tenth of all that a statement costs. Everything else is left to JSON.stringify.
 */
export class Lines {
  /** The lines are `bytes[0, length)`. */
  bytes: Uint8Array = none
  length = 0
  readonly #policy = new Last()
  readonly #masks = new Last()
  readonly #tables = new Last()

  add(event: RecordingEvent): void {
    switch (event.type) {
      case 'request':
        this.#request(event)
        break
      case 'complete':
        this.#complete(event)
        break
      default:
        this.#encoded(JSON.stringify(event))
    }
    this.#room(1)
    this.bytes[this.length++] = newline
  }

  /** Of lines that were written, nothing is kept: most recordings are of sessions that say nothing. */
  release(): void {
    this.bytes = none
    this.length = 0
  }

  #request({ at, n, action, text, outcome, policy, masks, tables, grantId, requestId }: Of<'request'>): void {
    this.#raw(requestAt)
    this.#number(at)
    this.#raw(numbered)
    this.#number(n)
    this.#raw(does)
    this.#text(action)
    this.#raw(says)
    this.#text(text)
    this.#raw(ends)
    this.#text(outcome)
    if (policy !== undefined) {
      this.#raw(underPolicy)
      this.#raw(this.#policy.of(policy))
    }
    if (masks !== undefined) {
      this.#raw(withMasks)
      this.#raw(this.#masks.of(masks))
    }
    if (tables !== undefined) {
      this.#raw(ofTables)
      this.#raw(this.#tables.of(tables))
    }
    if (grantId !== undefined) {
      this.#raw(byGrant)
      this.#text(grantId)
    }
    if (requestId !== undefined) {
      this.#raw(asRequest)
      this.#text(requestId)
    }
    this.#raw(closed)
  }

  #complete({ at, n, ok, rows, bytes, exitCode, error, dbMs, gatewayMs }: Of<'complete'>): void {
    this.#raw(completeAt)
    this.#number(at)
    this.#raw(numbered)
    this.#number(n)
    this.#raw(ok ? succeeded : failed)
    if (rows !== undefined) {
      this.#raw(withRows)
      this.#number(rows)
    }
    if (bytes !== undefined) {
      this.#raw(withBytes)
      this.#number(bytes)
    }
    if (exitCode !== undefined) {
      this.#raw(withExitCode)
      this.#number(exitCode)
    }
    if (error !== undefined) {
      this.#raw(withError)
      this.#text(error)
    }
    if (dbMs !== undefined) {
      this.#raw(inDb)
      this.#number(dbMs)
    }
    if (gatewayMs !== undefined) {
      this.#raw(inGateway)
      this.#number(gatewayMs)
    }
    this.#raw(closed)
  }

  #room(more: number): void {
    const needed = this.length + more
    if (needed <= this.bytes.length) return
    const larger = new Uint8Array(Math.max(needed, 2 * this.bytes.length, smallest))
    larger.set(this.bytes.subarray(0, this.length))
    this.bytes = larger
  }

  #raw(piece: Uint8Array): void {
    const { length } = piece
    this.#room(length)
    const { bytes, length: at } = this
    if (length > 64) bytes.set(piece, at)
    else for (let i = 0; i < length; i++) bytes[at + i] = piece[i] as number
    this.length = at + length
  }

  #encoded(json: string): void {
    // A UTF-16 unit is three bytes at most.
    this.#room(3 * json.length)
    this.length += encoder.encodeInto(json, this.bytes.subarray(this.length)).written
  }

  /** A JSON string. Texts of statements are ASCII and line ends, nearly always. */
  #text(text: string): void {
    const { length } = text
    if (length > longestByHand) {
      this.#encoded(JSON.stringify(text))
      return
    }
    this.#room(2 * length + 2)
    const { bytes } = this
    let at = this.length
    bytes[at++] = quote
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i)
      if (code === newline) {
        bytes[at++] = backslash
        bytes[at++] = 0x6e
      } else if (code === quote || code === backslash) {
        bytes[at++] = backslash
        bytes[at++] = code
      } else if (code < 0x20 || code > 0x7e) {
        this.#encoded(JSON.stringify(text))
        return
      } else bytes[at++] = code
    }
    bytes[at++] = quote
    this.length = at
  }

  /** As JSON has it: no NaN and no infinity. To the microsecond, which is what clocks here are good for. */
  #number(value: number): void {
    const micros = Math.round(value * 1000)
    if (!(micros >= 0 && micros <= largestByHand)) {
      this.#encoded(Number.isFinite(value) ? String(micros / 1000) : 'null')
      return
    }
    this.#room(20)
    const { bytes } = this
    const whole = Math.floor(micros / 1000)
    let rest = micros - whole * 1000
    let end = this.length + 1
    for (let limit = 10; limit <= whole; limit *= 10) end++
    this.length = end
    let left = whole
    do {
      const tens = (left / 10) | 0
      bytes[--end] = zero + left - 10 * tens
      left = tens
    } while (left > 0)
    if (rest === 0) return
    bytes[this.length++] = 0x2e
    for (let unit = 100; rest > 0; unit /= 10) {
      const digit = (rest / unit) | 0
      bytes[this.length++] = zero + digit
      rest -= digit * unit
    }
  }
}

const encoder = new TextEncoder()
const longestByHand = 16 * 1024
/** Microseconds whose milliseconds are a 31-bit integer. */
const largestByHand = (2 ** 31 - 1) * 1000

const newline = 0x0a
const quote = 0x22
const backslash = 0x5c
const zero = 0x30

const requestAt = encoder.encode('{"type":"request","at":')
const completeAt = encoder.encode('{"type":"complete","at":')
const numbered = encoder.encode(',"n":')
const does = encoder.encode(',"action":')
const says = encoder.encode(',"text":')
const ends = encoder.encode(',"outcome":')
const underPolicy = encoder.encode(',"policy":')
const withMasks = encoder.encode(',"masks":')
const ofTables = encoder.encode(',"tables":')
const byGrant = encoder.encode(',"grantId":')
const asRequest = encoder.encode(',"requestId":')
const succeeded = encoder.encode(',"ok":true')
const failed = encoder.encode(',"ok":false')
const withRows = encoder.encode(',"rows":')
const withBytes = encoder.encode(',"bytes":')
const withExitCode = encoder.encode(',"exitCode":')
const withError = encoder.encode(',"error":')
const inDb = encoder.encode(',"dbMs":')
const inGateway = encoder.encode(',"gatewayMs":')
const closed = encoder.encode('}')
