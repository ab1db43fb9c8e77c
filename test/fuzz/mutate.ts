import type { Input, Piece, Tamper } from './input.ts'
import type { Random } from './random.ts'
import { frame } from './wire.ts'

/** What mutations draw from: frames of both sides, and texts. */
export interface Stock {
  client: readonly Buffer[]
  target: readonly Buffer[]
  texts: readonly string[]
  /** What the recorded clients said, from start to end. */
  sessions: readonly (readonly Piece[])[]
}

const mostPieces = 160
const lengths = [-1, 0, 3, 4, 5, 8, 255, 65_535, 65_536, 1 << 20, (64 << 20) + 5, 0x7fffffff, -0x80000000]
const bytes = [0, 1, 0x7f, 0x80, 0xff, 0x3b, 0x27, 0x5c]
const clientTypes = 'QPBDECHSFdcfpX'
const targetTypes = 'RKSZTDCEN123tnsIGHWVAcdv'
const names = ['', 's', 'p', 'a', 'by_id', 'c', 'sallyport refused', 'S_1']

/** A neighbour of `input`. `answers`: what the target said when it ran. */
export function mutate(input: Input, answers: readonly Buffer[], stock: Stock, random: Random): Input {
  const pieces = [...input.pieces]
  const tampers = [...input.tampers]
  for (let times = 1 + random.below(4); times > 0; times--) {
    if (input.live && answers.length > 0 && random.chance(30)) {
      if (tampers.length > 0 && random.chance(25)) tampers.splice(random.below(tampers.length), 1)
      else tampers.push(tamper(answers, stock, random))
    } else change(pieces, input.live, stock, random)
  }
  return { live: input.live, pieces: pieces.slice(0, mostPieces), tampers: tampers.slice(-12) }
}

function change(pieces: Piece[], live: boolean, stock: Stock, random: Random): void {
  const at = random.below(pieces.length)
  const here = pieces[at]
  if (here === undefined) return
  switch (random.below(10)) {
    case 0:
      pieces.splice(at, 1 + random.below(3))
      return
    case 9: {
      // Another session's words, without its start-up packet.
      const more = random.pick(stock.sessions) ?? []
      if (live) pieces.push(...more.slice(1))
      return
    }
    case 1:
      pieces.splice(at, 0, { ...here, joined: random.chance(80) })
      return
    case 2: {
      const [moved] = pieces.splice(at, 1)
      if (moved !== undefined) pieces.splice(random.below(pieces.length + 1), 0, moved)
      return
    }
    case 3:
      pieces[at] = { ...here, joined: !here.joined }
      return
    case 4:
    case 5: {
      const from = live ? 'client' : (random.pick(['client', 'target'] as const) ?? 'client')
      pieces.splice(at + 1, 0, { from, bytes: some(from, stock, random), joined: random.chance(70) })
      return
    }
    case 6: {
      // The start of a frame now, and its end later: whatever the other side says comes in between.
      const cut = 1 + random.below(Math.max(1, here.bytes.length - 1))
      pieces.splice(
        at,
        1,
        { ...here, bytes: here.bytes.subarray(0, cut) },
        { ...here, bytes: here.bytes.subarray(cut), joined: false },
      )
      return
    }
    default:
      pieces[at] = { ...here, bytes: bent(here.bytes, stock, random) }
  }
}

function tamper(answers: readonly Buffer[], stock: Stock, random: Random): Tamper {
  const at = random.below(answers.length)
  const was = answers[at] ?? Buffer.alloc(0)
  switch (random.below(5)) {
    case 0:
      return { at, how: 'drop', bytes: Buffer.alloc(0) }
    case 1:
      return { at, how: 'twice', bytes: Buffer.alloc(0) }
    case 2:
      return { at, how: 'before', bytes: some('target', stock, random) }
    default:
      return { at, how: 'replace', bytes: bent(was, stock, random) }
  }
}

function some(from: Piece['from'], stock: Stock, random: Random): Buffer {
  if (random.chance(60)) return random.pick(stock[from]) ?? Buffer.alloc(0)
  if (from === 'client' && random.chance(60)) return written(stock, random)
  const types = from === 'client' ? clientTypes : targetTypes
  const type = types[random.below(types.length)] ?? 'Q'
  const body = Buffer.from(Array.from({ length: random.below(24) }, () => random.next() & 0xff))
  return frame(type, body)
}

/** A well-formed message with names and texts from the stock. */
function written(stock: Stock, random: Random): Buffer {
  const name = () => Buffer.from(`${random.pick(names) ?? ''}\0`)
  const text = () => Buffer.from(`${sql(stock, random)}\0`)
  switch (random.below(7)) {
    case 0:
      return frame('Q', text())
    case 1:
      return frame('P', Buffer.concat([name(), text(), Buffer.alloc(2)]))
    case 2:
      return frame('B', Buffer.concat([name(), name(), Buffer.alloc(6)]))
    case 3:
      return frame('E', Buffer.concat([name(), Buffer.from([0, 0, 0, random.below(3)])]))
    case 4:
      return frame('D', Buffer.concat([Buffer.from(random.pick(['S', 'P']) ?? 'S'), name()]))
    case 5:
      return frame('C', Buffer.concat([Buffer.from(random.pick(['S', 'P']) ?? 'S'), name()]))
    default:
      return frame('S', Buffer.alloc(0))
  }
}

function sql(stock: Stock, random: Random): string {
  const one = random.pick(stock.texts) ?? ''
  if (random.chance(70)) return one
  const other = random.pick(stock.texts) ?? ''
  if (random.chance(50)) return `${one}; ${other}`
  return one.slice(0, random.below(one.length)) + other.slice(random.below(other.length))
}

/** The same message, bent. */
function bent(was: Buffer, stock: Stock, random: Random): Buffer {
  const out = Buffer.from(was)
  if (out.length < 5) return Buffer.concat([out, Buffer.from([random.next() & 0xff])])
  const at = 5 + random.below(Math.max(1, out.length - 5))
  switch (random.below(8)) {
    case 0:
      out.writeInt32BE(random.pick(lengths) ?? 4, 1)
      return out
    case 1:
      out[0] = random.next() & 0x7f
      return out
    case 2:
      out[at % out.length] = random.pick(bytes) ?? 0
      return out
    case 3:
      if (at + 4 <= out.length) out.writeInt32BE(random.pick(lengths) ?? 0, at)
      return out
    case 4:
      return frame(String.fromCharCode(out[0] ?? 0), out.subarray(5, at))
    case 5: {
      const extra = Buffer.from(Array.from({ length: 1 + random.below(6) }, () => random.next() & 0xff))
      return frame(String.fromCharCode(out[0] ?? 0), Buffer.concat([out.subarray(5, at), extra, out.subarray(at)]))
    }
    case 6:
      if (out[0] === 0x51) return frame('Q', Buffer.from(`${sql(stock, random)}\0`))
      return frame(String.fromCharCode(out[0] ?? 0), Buffer.concat([out.subarray(5), out.subarray(at)]))
    default: {
      const long = 1 << (4 + random.below(14))
      return frame(
        String.fromCharCode(out[0] ?? 0),
        Buffer.concat([out.subarray(5, at), Buffer.alloc(long, out[at]), out.subarray(at)]),
      )
    }
  }
}
