/** A shape, and the bit that says whose it is. */
export interface Part {
  /** The ASCII characters that may stand at each place of a stretch of text. */
  places: readonly string[]
  kind: number
}

/** Which shapes the last characters began and how far each got (shape and place, packed), and what ended with the last one. */
interface State {
  within: readonly number[]
  kinds: number
}

/** A hostile text can make states without end; this many take 4 MiB. */
const mostStates = 4_096

/** Never an entry: its complement would be the first state, in which no shape ends. */
export const unknown = -1
const nowhere: State = { within: [], kinds: 0 }
/** The state that stands for those that are too many. */
const full = 1

/**
 * Many shapes as one automaton, so that one pass over a text tells which of them it holds. Built as far as texts make it go:
 *
 *     next[state << 8 | code]   the state that follows, shifted; ~ of it when a shape ends there; `unknown` until asked
 *     #places[state]            which shapes have begun, and how far each got
 *
 * A state is handled shifted by 8, as it stands in the table; 0 is the first. Where there would be too many, every shape is said
 * to end and the text goes on from the first: too much is searched then, and nothing missed.
 */
export class Automaton {
  /** Read in the loops of its users; replaced by a wider one as states are added. */
  next = new Int32Array(16 << 8).fill(unknown)
  readonly #parts: readonly Part[]
  readonly #places: State[]
  readonly #known = new Map<string, number>([['', 0]])
  readonly #most: number

  /** A shape is shorter than 256. */
  constructor(parts: readonly Part[], most = mostStates) {
    this.#parts = parts
    this.#most = most
    this.#places = [nowhere, { within: [], kinds: parts.reduce((all, { kind }) => all | kind, 0) }]
  }

  /** The entry for a code below 256: negative when a shape ends there, and then its complement is the state. */
  step(state: number, code: number): number {
    const entry = this.next[state | code] ?? unknown
    return entry === unknown ? this.#build(state, code) : entry
  }

  /** The kinds of the shapes that end where `step` came to this state. */
  kinds(state: number): number {
    return (this.#places[state >> 8] ?? nowhere).kinds
  }

  #build(state: number, code: number): number {
    const char = String.fromCharCode(code)
    const within: number[] = []
    let kinds = 0
    const advance = (shape: number, place: number): void => {
      const part = this.#parts[shape]
      if (part?.places[place]?.includes(char) !== true) return
      if (place === part.places.length - 1) kinds |= part.kind
      else within.push((shape << 8) | (place + 1))
    }
    for (const each of this.#places[state >> 8]?.within ?? []) advance(each >> 8, each & 0xff)
    for (const shape of this.#parts.keys()) advance(shape, 0)
    const id = this.#stateOf({ within: within.sort((x, y) => x - y), kinds })
    const entry = kinds === 0 && id !== full ? id << 8 : ~(id << 8)
    this.next[state | code] = entry
    return entry
  }

  #stateOf(state: State): number {
    const key = state.kinds === 0 ? state.within.join() : `${state.within.join()} ${state.kinds}`
    const known = this.#known.get(key)
    if (known !== undefined) return known
    if (this.#places.length >= this.#most) return full
    const id = this.#places.push(state) - 1
    this.#known.set(key, id)
    if (this.#places.length << 8 > this.next.length) {
      const wider = new Int32Array(this.next.length * 2).fill(unknown)
      wider.set(this.next)
      this.next = wider
    }
    return id
  }
}
