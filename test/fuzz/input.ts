import type { Conversation } from './corpus.ts'
import { framesOf, startupLength } from './wire.ts'

/** One frame, or what should be one. `joined`: it arrives together with the one before. */
export interface Piece {
  from: 'client' | 'target'
  bytes: Buffer
  joined: boolean
}

/** What is done to the target's frame with this running number. */
export interface Tamper {
  at: number
  how: 'replace' | 'before' | 'drop' | 'twice'
  bytes: Buffer
}

/**
 * `live`: the model of a target answers, and its answers are tampered with. Otherwise both sides say what is written here,
 * whatever they hear.
 */
export interface Input {
  live: boolean
  pieces: readonly Piece[]
  tampers: readonly Tamper[]
}

/** A recorded session as both kinds of input. */
export function inputsOf({ steps }: Conversation): Input[] {
  const both: Piece[] = []
  const started = { client: false, target: true }
  const rest = { client: Buffer.alloc(0), target: Buffer.alloc(0) }
  let signedIn = false
  for (const { from, bytes } of steps) {
    if (from === 'door') continue
    let stream = Buffer.concat([rest[from], bytes])
    const frames: Buffer[] = []
    if (!started[from]) {
      const length = startupLength(stream)
      frames.push(stream.subarray(0, length))
      stream = stream.subarray(length)
      started[from] = true
    }
    const read = framesOf(stream)
    frames.push(...(read?.frames ?? []).map((one) => one.bytes))
    rest[from] = Buffer.from(read?.rest ?? [])
    // A target that trusts: what a random nonce is part of can't be said again.
    const kept = frames.filter((one) => from === 'client' || signedIn || one[0] !== 0x52 || one.readInt32BE(5) === 0)
    if (from === 'target' && frames.some((one) => one[0] === 0x5a)) signedIn = true
    both.push(...kept.map((one, i) => ({ from, bytes: Buffer.from(one), joined: i > 0 })))
  }
  return [
    { live: true, pieces: both.filter((one) => one.from === 'client'), tampers: [] },
    { live: false, pieces: both, tampers: [] },
  ]
}

/** What is said at once, in order. */
export function chunksOf(pieces: readonly Piece[]): { from: Piece['from']; bytes: Buffer }[] {
  const chunks: { from: Piece['from']; parts: Buffer[] }[] = []
  for (const { from, bytes, joined } of pieces) {
    const last = chunks.at(-1)
    if (joined && last?.from === from) last.parts.push(bytes)
    else chunks.push({ from, parts: [bytes] })
  }
  return chunks.map(({ from, parts }) => ({ from, bytes: Buffer.concat(parts) }))
}

export function toJson({ live, pieces, tampers }: Input): string {
  return JSON.stringify({
    live,
    pieces: pieces.map(({ from, bytes, joined }) => [joined ? `+${from}` : from, bytes.toString('base64')]),
    tampers: tampers.map(({ at, how, bytes }) => [at, how, bytes.toString('base64')]),
  })
}

type Json = { live: boolean; pieces: [string, string][]; tampers: [number, Tamper['how'], string][] }

export function fromJson(text: string): Input {
  const { live, pieces, tampers }: Json = JSON.parse(text)
  return {
    live,
    pieces: pieces.map(([from, data]) => ({
      from: from.endsWith('client') ? 'client' : 'target',
      bytes: Buffer.from(data, 'base64'),
      joined: from.startsWith('+'),
    })),
    tampers: tampers.map(([at, how, data]) => ({ at, how, bytes: Buffer.from(data, 'base64') })),
  }
}
