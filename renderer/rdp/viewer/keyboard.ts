import { scanCodes } from './scan-codes.ts'

/** A keyboard event, as far as it matters here. */
export interface KeyInput {
  key: string
  code: string
  ctrl: boolean
  alt: boolean
  meta: boolean
  altGraph: boolean
  /** Part of a composition, by a dead key or an input method: its text comes by itself when it is done. */
  composing: boolean
}

/** What the desktop is told. `type`: one character, whatever key makes it there. */
export type Stroke = { kind: 'press' | 'release'; scan: number } | { kind: 'type'; character: string }

const leftControl = scanCodes.ControlLeft ?? 0

/**
 * Turns keys into what a desktop understands. Characters go as characters, as they come out of this machine's layout with its AltGr and dead
 * keys; everything else (arrows, function keys, combinations with Ctrl or Alt) goes as the key that it is. Keys that are held are kept
 * in mind: when the keyboard turns elsewhere, they are released.
 */
export class Keyboard {
  readonly #held = new Map<string, number>()
  readonly #mac: boolean

  /** `mac`: Alt makes characters there, and nobody is told that a key goes up while Cmd is held. */
  constructor(mac: boolean) {
    this.#mac = mac
  }

  /** Undefined: leave the event to the browser, which composes a character of it and following ones. */
  down(input: KeyInput): Stroke[] | undefined {
    const { key, code } = input
    if (input.composing || key === 'Dead' || key === 'Process') return undefined
    if (key === 'AltGraph') return this.#alternate()
    // What it does to characters is in them already, and the desktop's own would do it again.
    if (key === 'CapsLock') return []
    const character = [...key].length === 1
    const graph = input.altGraph || (this.#mac && input.alt)
    if (character && !input.meta && (graph || !(input.ctrl || input.alt))) {
      // Held for the character's sake, not for a combination.
      const lifted = graph ? this.#lift() : []
      return [...lifted, { kind: 'type', character: key }]
    }
    const scan = scanCodes[code] ?? scanCodes[key]
    if (scan === undefined) return []
    this.#held.set(code, scan)
    return [{ kind: 'press', scan }]
  }

  up({ code }: Pick<KeyInput, 'code'>): Stroke[] {
    const scan = this.#held.get(code)
    if (scan === undefined) return []
    this.#held.delete(code)
    const stuck = this.#mac && code.startsWith('Meta') ? this.#releaseKeys() : []
    return [...stuck, { kind: 'release', scan }]
  }

  /** Whether they are still held can't be known; a key that repeats for ever is worse than one to press again. */
  #releaseKeys(): Stroke[] {
    const keys = [...this.#held].filter(([code]) => !/^(?:Shift|Control|Alt|Meta)/.test(code))
    for (const [code] of keys) this.#held.delete(code)
    return keys.map(([, scan]) => ({ kind: 'release', scan }))
  }

  /** Text that was composed, pasted by an input method, or dictated. */
  text(text: string): Stroke[] {
    return [...text].map((character) => ({ kind: 'type', character }))
  }

  releaseAll(): Stroke[] {
    const strokes = [...this.#held.values()].map((scan): Stroke => ({ kind: 'release', scan }))
    this.#held.clear()
    return strokes
  }

  /** Windows says that the left Ctrl is pressed, too, before it says AltGr. */
  #alternate(): Stroke[] {
    return this.#held.get('ControlLeft') === undefined ? [] : this.up({ code: 'ControlLeft' })
  }

  #lift(): Stroke[] {
    return ['AltLeft', 'AltRight', 'ControlLeft'].flatMap((code) => this.up({ code }))
  }
}

/** Ctrl+Alt+Del, which systems keep for themselves. */
export const secureAttention: readonly Stroke[] = [leftControl, scanCodes.AltLeft ?? 0, scanCodes.Delete ?? 0].flatMap(
  (scan, i, all): Stroke[] => [
    { kind: 'press', scan },
    ...(i === all.length - 1 ? all.map((held): Stroke => ({ kind: 'release', scan: held })) : []),
  ],
)
