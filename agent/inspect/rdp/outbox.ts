import type { Writable } from 'node:stream'

/** Gathers what one chunk leads to, so that it is written at once; neighbours in the same memory become one write. */
export class Outbox {
  readonly #stream: Writable
  #parts: Buffer[] = []

  constructor(stream: Writable) {
    this.#stream = stream
  }

  add(bytes: Buffer): void {
    const last = this.#parts.at(-1)
    if (last !== undefined && last.buffer === bytes.buffer && last.byteOffset + last.length === bytes.byteOffset) {
      const joined = Buffer.from(last.buffer, last.byteOffset, last.length + bytes.length)
      this.#parts[this.#parts.length - 1] = joined
    } else this.#parts.push(bytes)
  }

  flush(): void {
    const parts = this.#parts
    if (parts.length === 0) return
    this.#parts = []
    if (!this.#stream.writable) return
    if (parts.length > 1) this.#stream.cork()
    for (const part of parts) this.#stream.write(part)
    if (parts.length > 1) this.#stream.uncork()
  }
}
