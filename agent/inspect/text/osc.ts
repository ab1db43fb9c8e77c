import { oscNumber } from '../../../shared/annotation.ts'

/**
 * Takes out of a target's output what a client would read as a decision of ours: `ESC ] 7717 ; … (BEL | ESC \)`.
 *
 * It follows a terminal, not a pattern: control characters inside an escape sequence do not end it, a number may have
 * leading zeros, the 8-bit introducer comes as UTF-8 (C2 9D), and CAN, SUB or ESC end a string. All state survives chunk
 * boundaries; only an introducer is held back, never more than `longestIntroducer` bytes.
 */
const esc = 0x1b
const bel = 0x07
const can = 0x18
const sub = 0x1a
const c1Lead = 0xc2
const c1Osc = 0x9d
const c1StringEnd = 0x9c
const closeBracket = 0x5d
const backslash = 0x5c
/** An introducer longer than this is no terminal's own, and is taken out with what follows. */
const longestIntroducer = 64
const number = String(oscNumber)
const nothing = Buffer.alloc(0)
const c1Pair = Buffer.from([c1Lead, c1Osc])

type State = 'text' | 'lead' | 'escape' | 'number' | 'drop' | 'drop-escape' | 'drop-lead'

export class OscStripper {
  #state: State = 'text'
  /** Bytes since the introducer began, not yet passed on. */
  #held: number[] = []
  #digits = ''

  /** Bytes that wait for their meaning. */
  get holding(): boolean {
    return this.#held.length > 0
  }

  /** What of `chunk` (and of what was held) may go on. The chunk itself, by reference, when there is nothing to do. */
  push(chunk: Buffer): Buffer {
    const out: Buffer[] = []
    const leads = new Leads(chunk)
    let at = 0
    let from = 0
    while (at < chunk.length) {
      if (this.#state !== 'text') {
        this.#step(chunk[at] ?? 0, out)
        at += 1
        from = at
        continue
      }
      const lead = leads.from(at)
      if (lead === chunk.length) break
      const after = harmless(chunk, lead)
      if (after > 0) at = after
      else {
        if (lead > from) out.push(chunk.subarray(from, lead))
        this.#hold(chunk[lead] ?? 0)
        this.#state = chunk[lead] === esc ? 'escape' : 'lead'
        at = lead + 1
        from = at
      }
    }
    if (from === 0) return chunk
    if (this.#state === 'text' && from < chunk.length) out.push(chunk.subarray(from))
    return out.length === 1 ? (out[0] ?? nothing) : Buffer.concat(out)
  }

  /** The stream ends: what was held can't become a decision any more. */
  end(): Buffer {
    const rest = this.#state === 'number' && this.#digits.startsWith(number) ? nothing : Buffer.from(this.#held)
    this.#text()
    return rest
  }

  #step(byte: number, out: Buffer[]): void {
    switch (this.#state) {
      case 'text':
        return
      case 'lead':
        if (byte === c1Osc) this.#introduced(byte)
        else this.#release(byte, out)
        return
      case 'escape':
        if (byte === closeBracket) this.#introduced(byte)
        else if (isIgnored(byte)) this.#hold(byte)
        else this.#release(byte, out)
        return
      case 'number':
        this.#number(byte, out)
        return
      case 'drop':
        if (byte === bel || byte === can || byte === sub) this.#text()
        else if (byte === esc) this.#state = 'drop-escape'
        else if (byte === c1Lead) this.#state = 'drop-lead'
        return
      case 'drop-lead':
        if (byte === c1StringEnd) this.#text()
        else {
          this.#state = 'drop'
          this.#step(byte, out)
        }
        return
      case 'drop-escape':
        // ESC ended the string; `\` is the rest of its terminator, anything else begins a sequence of its own.
        if (byte === esc) return
        this.#text()
        if (byte !== backslash) {
          this.#held = [esc]
          this.#state = 'escape'
          this.#step(byte, out)
        }
        return
      default:
        this.#state satisfies never
    }
  }

  #number(byte: number, out: Buffer[]): void {
    if (byte >= 0x30 && byte <= 0x39) {
      this.#digits = (this.#digits + String.fromCharCode(byte)).replace(/^0+(?=\d)/, '')
      this.#hold(byte)
    } else if (isIgnored(byte)) this.#hold(byte)
    else if (this.#digits === number) {
      this.#held = []
      this.#state = 'drop'
      this.#step(byte, out)
    } else this.#release(byte, out)
  }

  #introduced(byte: number): void {
    this.#state = 'number'
    this.#digits = ''
    this.#hold(byte)
  }

  #hold(byte: number): void {
    this.#held.push(byte)
    if (this.#held.length <= longestIntroducer) return
    this.#held = []
    this.#state = 'drop'
  }

  /** It was something else: what was held goes on, and `byte` is looked at afresh. */
  #release(byte: number, out: Buffer[]): void {
    out.push(Buffer.from(this.#held))
    this.#text()
    if (byte === esc || byte === c1Lead) {
      this.#held = [byte]
      this.#state = byte === esc ? 'escape' : 'lead'
    } else out.push(Buffer.from([byte]))
  }

  #text(): void {
    this.#state = 'text'
    this.#held = []
    this.#digits = ''
  }
}

/** The places in a chunk where a decision could begin, in order: each kind is searched for once, not once a place. */
class Leads {
  readonly #chunk: Buffer
  #escape = -1
  #c1 = -1

  constructor(chunk: Buffer) {
    this.#chunk = chunk
  }

  /** The first at or after `at`; the chunk's length when there is none. */
  from(at: number): number {
    if (this.#escape < at) this.#escape = orEnd(this.#chunk.indexOf(esc, at), this.#chunk)
    if (this.#c1 < at) this.#c1 = this.#nextC1(at)
    return Math.min(this.#escape, this.#c1)
  }

  #nextC1(at: number): number {
    const pair = this.#chunk.indexOf(c1Pair, at)
    if (pair !== -1) return pair
    // The other half may come with the next chunk.
    const last = this.#chunk.length - 1
    return last >= at && this.#chunk[last] === c1Lead ? last : this.#chunk.length
  }
}

function orEnd(index: number, chunk: Buffer): number {
  return index === -1 ? chunk.length : index
}

/** Where to go on after a lead that begins no OSC, as far as this chunk tells; 0 when it does or might. */
function harmless(chunk: Buffer, lead: number): number {
  if (chunk[lead] !== esc) return 0
  const next = chunk[lead + 1]
  if (next === undefined || next === closeBracket || isIgnored(next)) return 0
  return lead + 1
}

/** Control characters that a terminal acts on, or ignores, without leaving the sequence they stand in. */
function isIgnored(byte: number): boolean {
  return (byte < 0x20 && byte !== bel && byte !== can && byte !== sub && byte !== esc) || byte === 0x7f
}
