import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { builtinDetectors, redactor } from '../../../../../policy/detectors.ts'
import { maskArray, maskText } from './array.ts'
import { maskJson } from './json.ts'
import { scanOf } from './types.ts'

const find = redactor(
  (['card', 'email', 'password', 'iban', 'private-key'] as const).map((name) => ({
    ...builtinDetectors[name],
    mask: () => '•••',
  })),
)
const json = (value: unknown): unknown => JSON.parse(maskJson(JSON.stringify(value), find))
const card = '4111111111111111'

describe('masks in JSON', () => {
  it('replaces strings, escaped ones too, numbers, keys, and what its key gives away', () => {
    expect(
      json({
        note: `paid with ${card}, thanks`,
        number: Number(card),
        'lena@mailbox.com': [1, 'x lena@mailbox.com', { deep: 'DE89 3704 0044 0532 0130 00' }],
        password: 'hunter22',
        api_key: 12345678,
        quoted: { token: 'ab"cd"ef', other: 'ab"cd"ef' },
        total: 12.5,
        flags: [true, false, null, -1e-7],
      }),
    ).toEqual({
      note: 'paid with •••, thanks',
      number: '•••',
      '•••': [1, 'x •••', { deep: '•••' }],
      password: '•••',
      api_key: '•••',
      quoted: { token: '••••••••', other: 'ab"cd"ef' },
      total: 12.5,
      flags: [true, false, null, -1e-7],
    })
    expect(maskJson(String.raw`{"a": "lena\u0040mailbox\u002ecom", "b" : "\\u0040"}`, find)).toBe(
      String.raw`{"a": "•••", "b" : "\\u0040"}`,
    )
    expect(maskJson(`\u0001{"a": ${card}}`, find)).toBe('\u0001{"a": "•••"}')
  })

  it('leaves every document without findings byte for byte, and any other well formed', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 4 }), fc.constantFrom('', card, 'a@b.org'), (text, secret) => {
        const written = JSON.stringify({ it: JSON.parse(text), secret })
        const masked = maskJson(written, find)
        const parsed: unknown = JSON.parse(masked)
        expect(masked).not.toContain(secret === '' ? '\0' : secret)
        if (find(written) === written && secret === '') expect(parsed).toEqual(JSON.parse(written))
      }),
    )
  })

  it('searches what is no JSON as text', () => {
    expect(maskJson(`"${card}`, find)).toBe('"•••')
  })
})

describe('masks in arrays', () => {
  it('knows the text format, with bounds, quotes, NULLs and dimensions', () => {
    expect(maskText(`{a,"x ${card}",NULL,${card}}`, find)).toBe('{a,"x •••",NULL,"•••"}')
    expect(maskText(`[0:1]={"a \\"b\\" lena@mailbox.com",c}`, find)).toBe(`[0:1]={"a \\"b\\" •••",c}`)
    expect(maskText('{{a,b},{c,"d,e"}}', find)).toBe('{{a,b},{c,"d,e"}}')
    expect(maskText('{}', find)).toBe('{}')
  })

  it('knows the binary format', () => {
    const element = (text: string | null): Buffer => {
      const size = Buffer.alloc(4)
      size.writeInt32BE(text === null ? -1 : Buffer.byteLength(text))
      return Buffer.concat([size, Buffer.from(text ?? '')])
    }
    const head = Buffer.from('00000001000000010000001900000003000000' + '01', 'hex')
    const array = (values: (string | null)[]): Buffer => Buffer.concat([head, ...values.map(element)])
    expect(maskArray(array(['a', null, `pay ${card}`]), find)).toEqual(array(['a', null, 'pay •••']))
    const torn = array(['a', 'b']).subarray(0, -1)
    expect(() => maskArray(torn, find)).toThrow('longer than its array')
  })
})

it('a mask that depends on the value is the same wherever the value stands', () => {
  const hashed = redactor([
    { ...builtinDetectors.email, mask: (value) => createHash('sha256').update(value).digest('hex').slice(0, 16) },
  ])
  const one = hashed('a@b.org')
  expect(maskJson('{"x":"a@b.org"}', hashed)).toBe(`{"x":"${one}"}`)
  expect(maskText('{a@b.org}', hashed)).toBe(`{"${one}"}`)
})

describe('documents as text', () => {
  const text = scanOf(25, undefined, find)
  const masked = (value: string) => (text?.kind === 'rewrite' ? text.text(value) : undefined)

  it('are searched with their escapes undone, however deep', () => {
    expect(masked(String.raw`{"a": "lena\u0040mailbox.com"}`)).toBe('{"a": "•••"}')
    expect(masked(String.raw`["{\"a\": \"lena\\u0040mailbox\\u002ecom\"}"]`)).toBe(String.raw`["{\"a\": \"•••\"}"]`)
    expect(masked(String.raw`say \u0022x\u0022 to \u006cena\u0040mailbox.com`)).toBe(
      String.raw`say \u0022x\u0022 to •••`,
    )
  })

  it('and so are addresses and XML', () => {
    expect(masked('GET /users?mail=lena%40mailbox.com&x=50%25')).toBe('GET /users?mail=•••&x=50%')
    expect(masked('<a>lena&#64;mailbox.com</a> <a>lena&#x40;mailbox.com</a>')).toBe('<a>•••</a> <a>•••</a>')
    expect(masked('100%, 7%41, &#999; and 5%2')).toBe('100%, 7%41, &#999; and 5%2')
  })

  it('and left as they are where nothing is found', () => {
    for (const value of [String.raw`{"a": "\u0040", "b": "\u20ac\u0000"}`, String.raw`C:\users\u00e9`])
      expect(masked(value)).toBe(value)
  })
})
