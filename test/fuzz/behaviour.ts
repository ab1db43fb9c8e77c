import type { Seen } from './run.ts'
import { framesOf, startupLength } from './wire.ts'

/** What sessions did, apart from which code ran: why they ended, and which messages followed which. */
export class Behaviour {
  readonly #known = new Set<string>()

  /** True when it did something that none before it did. */
  grew({ reason, toClient, toTarget }: Seen): boolean {
    const before = this.#known.size
    this.#known.add(`ended ${(reason ?? '').replaceAll(/\d+|"[^"]*"/g, '_').slice(0, 100)}`)
    this.#note('client', typesOf(toClient))
    this.#note('target', typesOf(toTarget.subarray(startupLength(toTarget))))
    return this.#known.size > before
  }

  #note(side: string, types: string): void {
    for (let at = 0; at + 4 <= types.length; at++) this.#known.add(`${side} ${types.slice(at, at + 4)}`)
  }
}

/** One letter for each message, and one for a run of the same. */
function typesOf(stream: Buffer): string {
  const types = framesOf(stream)?.frames.map(({ type }) => type) ?? []
  return types.filter((type, i) => type !== types[i - 1]).join('')
}
