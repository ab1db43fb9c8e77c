import { describe, expect, it } from 'vitest'
import { decode, lettersOf, readName } from './encoding.ts'

const read = (bytes: readonly number[], encoding: string, server = 'UTF8') => {
  const buf = Buffer.from([0, ...bytes, 0])
  return decode(buf, 1, buf.length - 1, lettersOf(encoding, server))
}

describe('texts in the encoding of the client', () => {
  it.each([
    ['UTF8', [0xc3, 0xa9], 'é'],
    ['SQL_ASCII', [0xc3, 0xa9], 'é'],
    ['LATIN1', [0xe9, 0x80], 'é\u0080'],
    ['LATIN9', [0xa4], '€'],
    ['WIN1252', [0x80, 0x27], "€'"],
    ['WIN1251', [0xcf], 'П'],
    ['KOI8R', [0xf0], 'П'],
    ['EUC_JP', [0xc6, 0xfc, 0x8f, 0xb0, 0xa1], '日丂'],
    ['SJIS', [0x41, 0x5c], 'A\\'],
    // 表 ends in a backslash.
    ['SJIS', [0x95, 0x5c, 0x27, 0xb1], "表'ｱ"],
    ['BIG5', [0xa5, 0x5c], '功'],
    ['GBK', [0x81, 0x5c], '乗'],
    ['GB18030', [0x81, 0x5c, 0x81, 0x30, 0x81, 0x30], '乗\u0080'],
    ['UHC', [0x81, 0x41], '갂'],
    ['EUC_CN', [0xd6, 0xd0], '中'],
  ])('%s', (encoding, bytes, text) => {
    expect(read(bytes, encoding)).toBe(text)
  })

  it.each<[string, number[], string?]>([
    ['UTF8', [0xe9]],
    ['SQL_ASCII', [0xe9]],
    // A letter that ends behind the text, or takes the quote along.
    ['SJIS', [0x95]],
    ['SJIS', [0x95, 0x27]],
    ['BIG5', [0xa5, 0x27]],
    ['GB18030', [0x81, 0x30, 0x27, 0x30]],
    ['EUC_JP', [0xc6, 0x27]],
    ['WIN1252', [0x81]],
    // Not known here.
    ['EUC_TW', [0xc4, 0xe3]],
    ['JOHAB', [0x88, 0x61]],
    ['MULE_INTERNAL', [0x81, 0xc1]],
    ['constructor', [0xe9]],
    // The target takes the bytes one by one.
    ['SJIS', [0x95, 0x5c], 'SQL_ASCII'],
    ['LATIN1', [0xe9], 'SQL_ASCII'],
    // They pass through two tables.
    ['SJIS', [0x95, 0x5c], 'EUC_JP'],
  ])('%s is not read where it could be something else: %j %s', (encoding, bytes, server) => {
    expect(read(bytes, encoding, server)).toBeUndefined()
  })

  it('writes what an encoding does not have as something that looks like it', () => {
    const letters = lettersOf('SJIS', 'UTF8')
    expect(letters?.encode('表…é•😀')).toEqual(Buffer.from([0x95, 0x5c, 0x81, 0x63, 0x3f, 0x2a, 0x3f]))
  })
})

describe('names of statements and portals', () => {
  const name = (text: string, wide = false) => {
    const buf = Buffer.from(text)
    return readName(buf, 0, buf.length, { letters: lettersOf('UTF8', 'UTF8'), wide })
  }

  it('are cut where the target cuts them, or not read', () => {
    expect(name('n'.repeat(70))).toBe('n'.repeat(63))
    expect(name('ä'.repeat(31))).toBe('ä'.repeat(31))
    expect(name('ä'.repeat(32))).toBeUndefined()
    expect(name('ä', true)).toBeUndefined()
    expect(name('a', true)).toBe('a')
  })
})
