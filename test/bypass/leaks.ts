import { createHash } from 'node:crypto'

/** One customer's values that nobody may see. */
export interface Secrets {
  email: string
  phone: string
  ssn: string
  card_number: string
}

const shapes = [/[a-z]+\.[a-z]+\d+@[a-z]+\.example/g, /\+\d{1,3} \d{3} \d{7}/g, /\d{3}-\d{2}-\d{4}/g, /\d{16}/g]
const deepest = 2

/** Finds real values in bytes that reached a client: as text, hex, base64, backwards, spaced out or hashed. */
export class LeakFinder {
  readonly #values = new Set<string>()
  readonly #hashes = new Map<string, string>()
  readonly #packed: string[] = []

  /** `all`: every row that a query can reach. `few`: those that are also looked for spaced out and hashed. */
  constructor(all: readonly Secrets[], few: readonly Secrets[]) {
    for (const row of all) for (const value of Object.values(row)) this.#values.add(value)
    for (const row of few) {
      this.#packed.push(pack(row.email), row.card_number)
      for (const value of Object.values(row)) {
        for (const name of ['md5', 'sha1', 'sha224', 'sha256', 'sha384', 'sha512']) {
          this.#hashes.set(createHash(name).update(value).digest('hex'), `${name} of ${value}`)
        }
      }
    }
  }

  find(bytes: Buffer): string[] {
    const found = new Set<string>()
    this.#text(bytes.toString('latin1'), deepest, found)
    return [...found]
  }

  #text(text: string, depth: number, found: Set<string>): void {
    const lower = text.toLowerCase()
    for (const side of [lower, [...lower].reverse().join('')]) {
      for (const shape of shapes)
        for (const [token] of side.matchAll(shape)) if (this.#values.has(token)) found.add(token)
    }
    const packed = pack(lower)
    for (const value of this.#packed) if (packed.includes(value)) found.add(`${value}, in pieces`)
    for (const [token] of lower.matchAll(/[0-9a-f]{32,}/g)) {
      const hash = this.#hashes.get(token)
      if (hash !== undefined) found.add(hash)
    }
    if (depth === 0) return
    for (const [token] of lower.matchAll(/(?:[0-9a-f]{2}){9,}/g)) {
      this.#text(Buffer.from(token, 'hex').toString('latin1'), depth - 1, found)
      this.#text(Buffer.from(token.slice(1), 'hex').toString('latin1'), depth - 1, found)
    }
    for (const [token] of text.replaceAll(/\\n|[\r\n]/g, '').matchAll(/[A-Za-z0-9+/]{12,}={0,2}/g)) {
      for (let from = 0; from < 4; from++) {
        this.#text(Buffer.from(token.slice(from), 'base64').toString('latin1'), 0, found)
      }
    }
  }
}

function pack(text: string): string {
  return text.toLowerCase().replaceAll(/[^a-z0-9]/g, '')
}
