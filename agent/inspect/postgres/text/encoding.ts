import { isUtf8 } from 'node:buffer'
import { certainly, charsetOf, type Letters } from './charsets/charset.ts'

const utf8: Letters = {
  decode(buf, start, end) {
    const text = buf.toString('utf8', start, end)
    // Bytes that are no UTF-8 would all read as one letter.
    return text.includes('\ufffd') && !isUtf8(buf.subarray(start, end)) ? undefined : text
  },
  encode: (text) => Buffer.from(text, 'utf8'),
}

/**
 * How letters beyond ASCII are read and written between a client and its target; undefined: they can't be. The target reads a text once it
 * has put it into its own encoding, so what it reads is certain where that is UTF-8, or the client's own, and PostgreSQL's table
 * of the client's is known here.
 */
export function lettersOf(client: string, server: string): Letters | undefined {
  if (isUnicode(client)) return utf8
  if (server !== 'UTF8' && server !== client) return undefined
  const letters = charsetOf(client)
  return letters === undefined || server === 'UTF8' ? letters : certainly(letters)
}

/**
 * Whether a letter beyond ASCII is the same in a name at the target as it is here, by the target's own encoding. Several letters may become one
 * there, and several of its own one here; where its table is not known, that can't be told.
 */
export function isSameLetter(letter: string, server: string): boolean {
  // It keeps the bytes that it got.
  if (server === 'SQL_ASCII') return letter !== '\ufffd'
  return charsetOf(server)?.isCertain(letter) === true
}

/** Bytes are as in UTF-8, so that nothing has to be put into another encoding. */
export function isUnicode(encoding: string): boolean {
  return encoding === 'UTF8' || encoding === 'UNICODE' || encoding === 'SQL_ASCII'
}

/** Text as the target reads it; undefined: it can't be told. */
export function decode(buf: Buffer, start: number, end: number, letters: Letters | undefined): string | undefined {
  if (letters === utf8) return utf8.decode(buf, start, end)
  // Every client encoding has ASCII in it.
  if (isAscii(buf, start, end)) return buf.toString('latin1', start, end)
  return letters?.decode(buf, start, end)
}

/** Bytes of a name that count: what is behind them the target does not look at. A target that is built otherwise is refused. */
export const longestName = 63

/**
 * The name of a statement or portal as the target has it. Two names that are one to it must be one here, and the other way round: that is
 * certain of letters where the target's own encoding is UTF-8. Undefined: it can't be told.
 */
export function readName(
  buf: Buffer,
  start: number,
  end: number,
  { letters, wide }: { letters: Letters | undefined; wide: boolean },
): string | undefined {
  if (isAscii(buf, start, end)) return buf.toString('latin1', start, Math.min(end, start + longestName))
  const name = wide ? undefined : decode(buf, start, end, letters)
  return name !== undefined && Buffer.byteLength(name) <= longestName ? name : undefined
}

export function isAscii(buf: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if ((buf[at] as number) > 0x7f) return false
  return true
}
