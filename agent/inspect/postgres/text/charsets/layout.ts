/**
 * Where the letters of an encoding stand in its table, by their bytes: one behind 0x7f, two, three that begin with 0x8f (EUC_JP), four
 * of which the second is a digit (GB18030). ASCII is itself in every encoding.
 */
export type Width = 1 | 2 | 3 | 4

const sizes: Readonly<Record<Width, number>> = { 1: 128, 2: 128 * 256, 3: 128 * 128, 4: 4 * 10 * 126 * 10 }
const widths: readonly Width[] = [1, 2, 3, 4]

/** Entries of the table of an encoding whose letters have up to `widest` bytes. */
export function sizeOf(widest: Width): number {
  return startOf(widest) + sizes[widest]
}

/** The place of the letter `buf[at, at + width)`; -1: it has none. */
export function placeOf(buf: Buffer, at: number, width: Width): number {
  const a = buf[at] ?? 0
  const b = buf[at + 1] ?? 0
  const c = buf[at + 2] ?? 0
  const d = buf[at + 3] ?? 0
  switch (width) {
    case 1:
      return a < 0x80 ? -1 : a - 0x80
    case 2:
      return a < 0x80 ? -1 : startOf(2) + (a - 0x80) * 256 + b
    case 3:
      return a !== 0x8f || b < 0x80 || c < 0x80 ? -1 : startOf(3) + (b - 0x80) * 128 + c - 0x80
    case 4:
      if (a < 0x81 || a > 0x84 || !isDigit(b) || c < 0x81 || c === 0xff || !isDigit(d)) return -1
      return startOf(4) + (((a - 0x81) * 10 + b - 0x30) * 126 + c - 0x81) * 10 + d - 0x30
  }
}

/** The bytes that stand at a place. */
export function bytesAt(place: number): Buffer {
  const width = widths.findLast((one) => place >= startOf(one)) ?? 1
  const at = place - startOf(width)
  switch (width) {
    case 1:
      return Buffer.of(0x80 + at)
    case 2:
      return Buffer.of(0x80 + (at >> 8), at & 0xff)
    case 3:
      return Buffer.of(0x8f, 0x80 + (at >> 7), 0x80 + (at & 0x7f))
    case 4: {
      const row = Math.floor(at / 10)
      const high = Math.floor(row / 126)
      return Buffer.of(0x81 + Math.floor(high / 10), 0x30 + (high % 10), 0x81 + (row % 126), 0x30 + (at % 10))
    }
  }
}

function startOf(width: Width): number {
  let start = 0
  for (const one of widths) if (one < width) start += sizes[one]
  return start
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39
}
