/**
 * What a person sees of terminal output, and where it stands in the bytes. Colours and erasures inside a value do not hide
 * it from the detectors (`grep` colours its matches); anything that moves the cursor ends a value.
 */
export interface Visible {
  text: string
  /**
   * Byte offset of each UTF-16 unit of `text`, and one more for the end. Undefined: unit n is byte n.
   * Built only when asked, since most text holds nothing sensitive.
   */
  offsets(): Uint32Array | undefined
}

const esc = 0x1b
/** Stands in the text where the cursor moved. Detectors take it for the end of a line. */
const boundary = '\n'

/** `kind`: how the bytes become text. Latin-1 keeps one unit a byte, for what is not UTF-8. */
interface Piece {
  from: number
  to: number
  kind: 'ascii' | 'utf8' | 'latin1' | 'boundary'
}

/** `kind` says how to read the bytes outside escape sequences. */
export function visible(bytes: Buffer, kind: 'ascii' | 'utf8' | 'latin1'): Visible {
  if (bytes.indexOf(esc) === -1) {
    if (kind !== 'utf8') return { text: bytes.toString('latin1'), offsets: () => undefined }
    return { text: bytes.toString('utf8'), offsets: () => offsetsOf(bytes, [{ from: 0, to: bytes.length, kind }]) }
  }
  const pieces = split(bytes, kind)
  let text = ''
  for (const piece of pieces) {
    if (piece.kind === 'boundary') text += boundary
    else if (piece.kind === 'utf8') text += bytes.toString('utf8', piece.from, piece.to)
    else text += bytes.toString('latin1', piece.from, piece.to)
  }
  return { text, offsets: () => offsetsOf(bytes, pieces) }
}

function split(bytes: Buffer, kind: 'ascii' | 'utf8' | 'latin1'): Piece[] {
  const pieces: Piece[] = []
  let at = 0
  while (at < bytes.length) {
    const next = bytes.indexOf(esc, at)
    const end = next === -1 ? bytes.length : next
    if (end > at) pieces.push({ from: at, to: end, kind })
    if (next === -1) break
    const sequence = escapeAt(bytes, next)
    if (!sequence.transparent) pieces.push({ from: next, to: sequence.end, kind: 'boundary' })
    at = sequence.end
  }
  return pieces
}

/**
 * The escape sequence that begins at `at`: where it ends, whether text on both sides of it stands together on the screen,
 * and whether it is all there. The content of OSC and DCS strings is not part of it: it is read as text of its own.
 */
export function escapeAt(bytes: Buffer, at: number): { end: number; transparent: boolean; complete: boolean } {
  const second = bytes[at + 1]
  if (second === undefined) return { end: bytes.length, transparent: false, complete: false }
  if (second === 0x5b) {
    for (let i = at + 2; i < bytes.length; i += 1) {
      const byte = bytes[i] ?? 0
      if (byte >= 0x40 && byte <= 0x7e)
        return { end: i + 1, transparent: byte === 0x6d || byte === 0x4b, complete: true }
      if (byte < 0x20 || byte > 0x3f) return { end: i, transparent: false, complete: true }
    }
    return { end: bytes.length, transparent: false, complete: false }
  }
  if (second >= 0x20 && second <= 0x2f) {
    for (let i = at + 2; i < bytes.length; i += 1) {
      const byte = bytes[i] ?? 0
      if (byte >= 0x30 && byte <= 0x7e) return { end: i + 1, transparent: true, complete: true }
      if (byte < 0x20 || byte > 0x2f) return { end: i, transparent: false, complete: true }
    }
    return { end: bytes.length, transparent: false, complete: false }
  }
  // ESC ESC, or ESC before a character of several bytes: not one sequence.
  if (second === esc || second >= 0x80) return { end: at + 1, transparent: false, complete: true }
  return { end: at + 2, transparent: false, complete: true }
}

function offsetsOf(bytes: Buffer, pieces: readonly Piece[]): Uint32Array {
  // Never more units than bytes.
  const offsets = new Uint32Array(bytes.length + 1)
  let unit = 0
  for (const piece of pieces) {
    if (piece.kind === 'boundary') {
      offsets[unit] = piece.from
      unit += 1
      continue
    }
    for (let at = piece.from; at < piece.to; ) {
      const lead = bytes[at] ?? 0
      const size = piece.kind !== 'utf8' || lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4
      offsets[unit] = at
      unit += 1
      if (size === 4) {
        offsets[unit] = at
        unit += 1
      }
      at += size
    }
  }
  offsets[unit] = bytes.length
  return offsets.subarray(0, unit + 1)
}
