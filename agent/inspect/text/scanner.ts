import { Automaton, unknown } from '../../../shared/automaton.ts'
import type { TextMask } from '../port.ts'
import { visible } from './visible.ts'

/**
 * Finds, in one pass over the bytes, the lines in which a mask could find anything, so that only those become text and are
 * searched. The shapes of all masks are one automaton.
 *
 * Two places of the text are read in turn, since each step waits for the one before: that takes a third off the time.
 */
export class Scanner {
  readonly #masks: readonly TextMask[]
  readonly #automaton: Automaton
  /** Masks that can't say what they need. */
  readonly #always: number

  constructor(masks: readonly TextMask[]) {
    this.#masks = masks
    this.#always = masks.reduce((bits, { shapes }, i) => (shapes === undefined ? bits | kindOf(i) : bits), 0)
    const parts = masks.flatMap(({ shapes }, i) => (shapes ?? []).map((places) => ({ places, kind: kindOf(i) })))
    this.#automaton = new Automaton([{ places: [esc], kind: escaped }, ...parts])
  }

  /** The masks that might find something in these bytes. */
  fitting(bytes: Buffer): readonly TextMask[] {
    return this.#of(this.#kinds(bytes))
  }

  /** Stretches of whole lines in which a mask might find something, in order. `bytes` ends with a newline. */
  stretches(bytes: Buffer): Stretch[] {
    if (this.#always !== 0) return [{ start: 0, end: bytes.length, masks: this.fitting(bytes) }]
    const middle = bytes.indexOf(newline, bytes.length >> 1) + 1
    const first: Found[] = []
    const second: Found[] = []
    const pair: Pair = { a: 0, b: 0 }
    const both = Math.min(middle, bytes.length - middle)
    for (let at = this.#quiet(bytes, 0, both, middle, pair); at < both; ) {
      pair.a = this.#step(pair.a, bytes, at, first)
      pair.b = this.#step(pair.b, bytes, middle + at, second)
      at = this.#quiet(bytes, at + 1, both, middle, pair)
    }
    this.#rest(bytes, pair.a, both, middle, first)
    this.#rest(bytes, pair.b, middle + both, bytes.length, second)
    return [...first, ...second].map(({ start, end, kinds }) => {
      const inside = kinds & escaped ? this.#kinds(bytes.subarray(start, end)) : kinds
      return { start, end, masks: this.#of(inside) }
    })
  }

  /**
   * Steps through the text at `from` and, `apart` bytes on, at its other place, up to `to` or to where one of the two is at
   * a step that the table does not know or that ends a shape. Returns how far it came. All but all bytes are read here, and
   * a loop that calls nothing and changes no field takes half the time.
   */
  #quiet(bytes: Buffer, from: number, to: number, apart: number, pair: Pair): number {
    const { next } = this.#automaton
    let { a, b } = pair
    let i = from
    for (; i < to; i += 1) {
      const toA = next[a | (bytes[i] ?? 0)] ?? 0
      const toB = next[b | (bytes[i + apart] ?? 0)] ?? 0
      if ((toA | toB) < 0) break
      a = toA
      b = toB
    }
    pair.a = a
    pair.b = b
    return i
  }

  #of(kinds: number): readonly TextMask[] {
    return kinds === 0 ? [] : this.#masks.filter((_, i) => (kinds & kindOf(i)) !== 0)
  }

  #kinds(bytes: Buffer): number {
    const found: Found[] = []
    // Colours may stand within a value, so the shapes are looked for in what a person sees.
    const seen = bytes.includes(escByte) ? Buffer.from(visible(bytes, 'latin1').text, 'latin1') : bytes
    this.#rest(seen, 0, 0, seen.length, found)
    return found.reduce((bits, { kinds }) => bits | kinds, this.#always)
  }

  #rest(bytes: Buffer, from: number, at: number, end: number, found: Found[]): void {
    let { next } = this.#automaton
    let state = from
    for (let i = at; i < end; i += 1) {
      const to = next[state | (bytes[i] ?? 0)] ?? unknown
      if (to >= 0) state = to
      else {
        state = this.#step(state, bytes, i, found)
        next = this.#automaton.next
      }
    }
  }

  /** One step that the table does not know, or that ends a shape. */
  #step(state: number, bytes: Buffer, at: number, found: Found[]): number {
    const byte = bytes[at] ?? 0
    const to = this.#automaton.step(state, byte)
    if (to >= 0) return to
    const kinds = this.#automaton.kinds(~to)
    const last = found.at(-1)
    if (last !== undefined && at < last.end) last.kinds |= kinds
    else {
      const start = bytes.lastIndexOf(newline, at) + 1
      const lineEnd = bytes.indexOf(newline, at) + 1
      const end = lineEnd === 0 ? bytes.length : lineEnd
      if (last !== undefined && start - last.end <= nearby) {
        last.end = end
        last.kinds |= kinds
      } else found.push({ start, end, kinds })
    }
    return ~to
  }
}

/** Whole lines, and the masks that might find something in them: none when colours made it look as if. */
export interface Stretch {
  start: number
  end: number
  masks: readonly TextMask[]
}

/** The states at the two places. */
interface Pair {
  a: number
  b: number
}

interface Found {
  start: number
  end: number
  kinds: number
}

const newline = 0x0a
const escByte = 0x1b
const esc = '\x1b'
const escaped = 1 << 30
/** Lines this near to each other are searched in one go. */
const nearby = 128

/** A bit for each mask; many masks share them. */
function kindOf(mask: number): number {
  return 1 << (mask % 30)
}
