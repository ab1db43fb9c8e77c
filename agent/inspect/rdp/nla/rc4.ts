/** RC4 (RFC 6229 has vectors), which OpenSSL 3 no longer has. NTLM seals with it, inside of TLS. */
export class Rc4 {
  readonly #state = Uint8Array.from({ length: 256 }, (_, i) => i)
  #i = 0
  #j = 0

  constructor(key: Uint8Array) {
    let j = 0
    for (let i = 0; i < 256; i++) {
      j = (j + this.#at(i) + (key[i % key.length] ?? 0)) & 255
      this.#swap(i, j)
    }
  }

  /** The next bytes of the stream on `data`: encrypts and decrypts. */
  apply(data: Uint8Array): Buffer {
    const out = Buffer.alloc(data.length)
    for (const [at, byte] of data.entries()) {
      this.#i = (this.#i + 1) & 255
      this.#j = (this.#j + this.#at(this.#i)) & 255
      this.#swap(this.#i, this.#j)
      out[at] = byte ^ this.#at((this.#at(this.#i) + this.#at(this.#j)) & 255)
    }
    return out
  }

  #at(i: number): number {
    return this.#state[i] ?? 0
  }

  #swap(i: number, j: number): void {
    const kept = this.#at(i)
    this.#state[i] = this.#at(j)
    this.#state[j] = kept
  }
}
