/** A peer broke the protocol, or asked for something that can't be inspected. The message is for people. */
export class RdpError extends Error {}

/** Reads little-endian fields, each within bounds: what runs over the end throws RdpError. */
export class Bytes {
  readonly bytes: Uint8Array
  at: number

  constructor(bytes: Uint8Array, at = 0) {
    this.bytes = bytes
    this.at = at
  }

  get left(): number {
    return this.bytes.length - this.at
  }

  /** Where the next `count` bytes begin; they are read. */
  protected claim(count: number): number {
    const { at } = this
    if (count > this.left) throw new RdpError('a message ends in the middle of a field')
    this.at += count
    return at
  }

  u8(): number {
    return this.bytes[this.claim(1)] ?? 0
  }

  u16(): number {
    const at = this.claim(2)
    return (this.bytes[at] ?? 0) | ((this.bytes[at + 1] ?? 0) << 8)
  }

  /** A view, not a copy. */
  take(count: number): Uint8Array {
    const at = this.claim(count)
    return this.bytes.subarray(at, at + count)
  }

  rest(): Uint8Array {
    return this.take(this.left)
  }
}
