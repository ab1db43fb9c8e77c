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
    if (this.#state === 'text' && chunk.indexOf(esc) === -1 && chunk.indexOf(c1Lead) === -1) return chunk
    const out: Buffer[] = []
    let from = 0
    for (let at = 0; at < chunk.length; at += 1) {
      const byte = chunk[at] ?? 0
      if (this.#state === 'text') {
        if (byte !== esc && byte !== c1Lead) continue
        if (at > from) out.push(chunk.subarray(from, at))
        this.#held = [byte]
        this.#state = byte === esc ? 'escape' : 'lead'
      } else this.#step(byte, out)
      from = at + 1
    }
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

/** Control characters that a terminal acts on, or ignores, without leaving the sequence they stand in. */
function isIgnored(byte: number): boolean {
  return (byte < 0x20 && byte !== bel && byte !== can && byte !== sub && byte !== esc) || byte === 0x7f
}
