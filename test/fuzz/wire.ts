/** Frames by a reader of its own: what checks the codec shares no code with it. */
export interface Frame {
  type: string
  bytes: Buffer
}

/** Whole frames of a stream after start-up, and what is left behind the last. Undefined: this is no stream of frames. */
export function framesOf(stream: Buffer): { frames: Frame[]; rest: Buffer } | undefined {
  const frames: Frame[] = []
  let at = 0
  while (stream.length - at >= 5) {
    const length = stream.readInt32BE(at + 1)
    if (length < 4) return undefined
    const end = at + 1 + length
    if (end > stream.length) break
    frames.push({ type: String.fromCharCode(stream[at] ?? 0), bytes: stream.subarray(at, end) })
    at = end
  }
  return { frames, rest: stream.subarray(at) }
}

export function frame(type: string, body: Buffer): Buffer {
  const head = Buffer.alloc(5)
  head.write(type, 'latin1')
  head.writeInt32BE(body.length + 4, 1)
  return Buffer.concat([head, body])
}

/** The zero-terminated text at `at` of a frame, and where the next field begins. */
export function textAt({ bytes }: Frame, at: number): { text: string; next: number } {
  const end = bytes.indexOf(0, at)
  if (end < 0) return { text: bytes.toString('utf8', at), next: bytes.length }
  return { text: bytes.toString('utf8', at, end), next: end + 1 }
}

/** Length of the untyped start-up packet that a client's or the door's stream begins with. */
export function startupLength(stream: Buffer): number {
  return stream.length < 4 ? 0 : stream.readInt32BE(0)
}
