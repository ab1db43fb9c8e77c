import { inflateRawSync } from 'node:zlib'
import { bytesAt, placeOf, sizeOf, type Width } from './layout.ts'
import { tables } from './tables.ts'

/** A table of letters, by which a target may keep names. */
export interface OwnLetters extends Letters {
  /** Bytes of the encoding stand for this letter, and no others do: it comes back from the target as itself. */
  isCertain(letter: string): boolean
}

/** How the letters of an encoding are read and written. */
export interface Letters {
  /** Undefined: it is no text of the encoding, or holds a letter of which it is not certain what PostgreSQL reads. */
  decode(buf: Buffer, start: number, end: number): string | undefined
  /** What has no letter in the encoding is written as one that looks like it, or as a question mark. */
  encode(text: string): Buffer
}

/** The letters of a PostgreSQL encoding by its canonical name; undefined: they are not known here. */
export function charsetOf(encoding: string): OwnLetters | undefined {
  const known = charsets.get(encoding)
  if (known !== undefined) return known
  const table = Object.hasOwn(tables, encoding) ? tables[encoding] : undefined
  if (table === undefined) return undefined
  const charset = new Charset(encoding, table.widest, unpacked(table.packed, sizeOf(table.widest)))
  charsets.set(encoding, charset)
  return charset
}

/** Where the target's own encoding is the client's, it has two names for what reads the same here: such a letter is not read. */
export function certainly(letters: OwnLetters): Letters {
  return {
    decode(buf, start, end) {
      const text = letters.decode(buf, start, end)
      if (text === undefined) return undefined
      for (let at = 0; at < text.length; at++) {
        if (text.charCodeAt(at) > 0x7f && !letters.isCertain(text[at] ?? '')) return undefined
      }
      return text
    },
    encode: (text) => letters.encode(text),
  }
}

const charsets = new Map<string, Charset>()

function unpacked(packed: string, size: number): Uint16Array {
  const bytes = inflateRawSync(Buffer.from(packed, 'base64'))
  const units = new Uint16Array(size)
  for (let i = 0; i < size; i++) units[i] = (units[i - 1] ?? 0) + bytes.readUInt16LE(2 * i)
  return units
}

/**
 * A text is cut into letters as PostgreSQL cuts it: the length of each hangs on its first byte, or the first two, alone. Each of
 * them is looked up in PostgreSQL's own table. So both sides read the same letters, and a byte of ASCII that is the second half of
 * one ends no string for either.
 */
class Charset implements OwnLetters {
  readonly #units: Uint16Array
  readonly #widthAt: (first: number, second: number) => Width
  #places: Uint32Array | undefined
  #counts: Uint8Array | undefined

  constructor(encoding: string, widest: Width, units: Uint16Array) {
    this.#units = units
    this.#widthAt =
      widest === 1
        ? () => 1
        : encoding === 'SJIS'
          ? sjis
          : widest === 4
            ? gb18030
            : encoding.startsWith('EUC_')
              ? euc
              : pair
  }

  decode(buf: Buffer, start: number, end: number): string | undefined {
    const out = new Uint16Array(end - start)
    let length = 0
    for (let at = start; at < end; ) {
      const first = buf[at] as number
      if (first < 0x80) {
        out[length++] = first
        at++
        continue
      }
      const width = this.#widthAt(first, at + 1 < end ? (buf[at + 1] as number) : 0)
      if (at + width > end) return undefined
      const unit = this.#units[placeOf(buf, at, width)]
      if (unit === undefined || unit === 0) return undefined
      out[length++] = unit
      at += width
    }
    return Buffer.from(out.buffer, 0, 2 * length).toString('utf16le')
  }

  encode(text: string): Buffer {
    const out: Buffer[] = []
    for (const letter of text) {
      const own = this.#written(letter)
      out.push(own ?? Buffer.from(Object.hasOwn(likenesses, letter) ? (likenesses[letter] ?? '?') : '?'))
    }
    return Buffer.concat(out)
  }

  isCertain(letter: string): boolean {
    this.#counts ??= counted(this.#units)
    return letter.length === 1 && this.#counts[letter.charCodeAt(0)] === 1
  }

  #written(letter: string): Buffer | undefined {
    const unit = letter.charCodeAt(0)
    if (letter.length > 1) return undefined
    if (unit < 0x80) return Buffer.of(unit)
    this.#places ??= inverse(this.#units)
    const place = this.#places[unit] ?? 0
    return place === 0 ? undefined : bytesAt(place - 1)
  }
}

/** By unit, the first place that has it, counted from one. */
function inverse(units: Uint16Array): Uint32Array {
  const places = new Uint32Array(0x10000)
  for (let place = units.length - 1; place >= 0; place--) places[units[place] ?? 0] = place + 1
  return places
}

/** By unit, in how many places it stands: none, one or several. */
function counted(units: Uint16Array): Uint8Array {
  const counts = new Uint8Array(0x10000)
  for (const unit of units) counts[unit] = Math.min(2, (counts[unit] ?? 0) + 1)
  return counts
}

/** What our own words and masks use beyond ASCII. */
const likenesses: Readonly<Partial<Record<string, string>>> = {
  '•': '*',
  '…': '...',
  '’': "'",
  '‘': "'",
  '“': '"',
  '”': '"',
  '–': '-',
  '—': '-',
}

/** pg_sjis_mblen */
function sjis(first: number): Width {
  return first >= 0xa1 && first <= 0xdf ? 1 : 2
}

/** pg_gb18030_mblen */
function gb18030(_first: number, second: number): Width {
  return second >= 0x30 && second <= 0x39 ? 4 : 2
}

/** pg_euc_mblen */
function euc(first: number): Width {
  return first === 0x8f ? 3 : 2
}

/** pg_big5_mblen, pg_gbk_mblen, pg_uhc_mblen */
function pair(): Width {
  return 2
}
