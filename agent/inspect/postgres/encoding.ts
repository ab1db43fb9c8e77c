import { isUtf8 } from 'node:buffer'

/**
 * Client encodings in which a byte below 0x80 is that ASCII character wherever it stands, and any other byte is part of a letter. A
 * text in one of them is cut into the same tokens whatever its letters are; a letter that is read as another makes a name unknown.
 * SJIS, BIG5, GBK, UHC, GB18030 and JOHAB have letters with a quote's or a backslash's neighbours in them, so they are not here.
 */
const labels: Readonly<Record<string, string>> = {
  LATIN2: 'iso-8859-2',
  LATIN3: 'iso-8859-3',
  LATIN4: 'iso-8859-4',
  LATIN6: 'iso-8859-10',
  LATIN7: 'iso-8859-13',
  LATIN8: 'iso-8859-14',
  LATIN9: 'iso-8859-15',
  LATIN10: 'iso-8859-16',
  ISO_8859_5: 'iso-8859-5',
  ISO_8859_6: 'iso-8859-6',
  ISO_8859_7: 'iso-8859-7',
  ISO_8859_8: 'iso-8859-8',
  WIN1250: 'windows-1250',
  WIN1251: 'windows-1251',
  WIN1252: 'windows-1252',
  WIN1253: 'windows-1253',
  WIN1254: 'windows-1254',
  WIN1255: 'windows-1255',
  WIN1256: 'windows-1256',
  WIN1257: 'windows-1257',
  WIN1258: 'windows-1258',
  WIN866: 'ibm866',
  WIN874: 'windows-874',
  KOI8R: 'koi8-r',
  KOI8U: 'koi8-u',
  EUC_JP: 'euc-jp',
  EUC_KR: 'euc-kr',
}

/** Text as the target reads it; undefined in an encoding whose letters are not read here. */
export function decode(buf: Buffer, start: number, end: number, encoding: string): string | undefined {
  switch (encoding) {
    case 'UTF8':
    case 'UNICODE':
    case 'SQL_ASCII': {
      const text = buf.toString('utf8', start, end)
      // Bytes that are no UTF-8 would all read as one letter.
      return text.includes('\ufffd') && !isUtf8(buf.subarray(start, end)) ? undefined : text
    }
    case 'LATIN1':
      return buf.toString('latin1', start, end)
    default:
      // Every client encoding has ASCII in it.
      if (isAscii(buf, start, end)) return buf.toString('latin1', start, end)
      return decodeLetters(buf.subarray(start, end), encoding)
  }
}

/** Bytes of a name that count: what is behind them the target does not look at. A target that is built otherwise is refused. */
export const longestName = 63

/**
 * The name of a statement or portal as the target has it. Two names that are one to it must be one here, and the other way round.
 * `wide`: the target's own encoding is not UTF-8, so letters may take another number of bytes in it. Undefined: it can't be told.
 */
export function readName(
  buf: Buffer,
  start: number,
  end: number,
  { encoding, wide }: { encoding: string; wide: boolean },
): string | undefined {
  if (isAscii(buf, start, end)) return buf.toString('latin1', start, Math.min(end, start + longestName))
  const name = decode(buf, start, end, encoding)
  if (name === undefined) return undefined
  const bytes = wide ? 4 * name.length : Buffer.byteLength(name)
  return bytes <= longestName ? name : undefined
}

export function isAscii(buf: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if ((buf[at] as number) > 0x7f) return false
  return true
}

function decodeLetters(bytes: Buffer, encoding: string): string | undefined {
  const label = Object.hasOwn(labels, encoding) ? labels[encoding] : undefined
  if (label === undefined) return undefined
  try {
    return new TextDecoder(label, { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    // No text of this encoding: the target will say the same.
    return undefined
  }
}
