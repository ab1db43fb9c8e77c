import { describe, expect, it } from 'vitest'
import { decode } from './encoding.ts'

const read = (bytes: readonly number[], encoding: string) => {
  const buf = Buffer.from([0, ...bytes, 0])
  return decode(buf, 1, buf.length - 1, encoding)
}

describe('texts in the encoding of the client', () => {
  it.each([
    ['LATIN1', [0xe9, 0x80], 'é\u0080'],
    ['LATIN9', [0xa4], '€'],
    ['WIN1252', [0x80, 0x27], "€'"],
    ['WIN1251', [0xcf], 'П'],
    ['KOI8R', [0xf0], 'П'],
    ['EUC_JP', [0xc6, 0xfc], '日'],
    ['SJIS', [0x41, 0x5c], 'A\\'],
  ])('%s', (encoding, bytes, text) => {
    expect(read(bytes, encoding)).toBe(text)
  })

  it.each([
    // 表 ends in a backslash.
    ['SJIS', [0x95, 0x5c]],
    ['GBK', [0x81, 0x5c]],
    ['EUC_JP', [0xc6, 0x27]],
    ['EUC_TW', [0xc4, 0xe3]],
    ['constructor', [0xe9]],
  ])('%s is not read where it could be something else', (encoding, bytes) => {
    expect(read(bytes, encoding)).toBeUndefined()
  })

  it('has ASCII as ASCII in every encoding that it reads', () => {
    const ascii = Array.from({ length: 127 }, (_, i) => i + 1)
    for (const encoding of ['LATIN2', 'LATIN10', 'ISO_8859_6', 'WIN1258', 'WIN866', 'WIN874', 'KOI8U', 'EUC_KR']) {
      const letter = encoding === 'EUC_KR' ? [0xb0, 0xa1] : [0xe1]
      const text = read([...ascii, ...letter], encoding)
      expect(text?.slice(0, -1)).toBe(String.fromCharCode(...ascii))
    }
  })
})
