import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { TextMask } from '../port.ts'
import { TextMasker } from './masker.ts'

function detector(dataClass: string, pattern: RegExp, to: string, shapes?: string[][]): TextMask {
  return {
    dataClass,
    unmask: { verdict: 'masked', policy: { id: 'mask-text', reason: 'Hidden in text' } },
    find: (text) => [...text.matchAll(pattern)].map((m) => ({ start: m.index, end: m.index + m[0].length })),
    mask: () => to,
    ...(shapes === undefined ? {} : { shapes }),
  }
}

const email = detector('email', /[a-z0-9.]{1,20}@[a-z0-9]{1,20}\.[a-z]{2,8}/g, '[email]', [
  ['@', 'abcdefghijklmnopqrstuvwxyz0123456789'],
])
const card = detector('card', /\b\d{4}[ -]?\d{4}[ -]?\d{4}[ -]?\d{4}\b/g, '[card]', [
  ['0123456789', '0123456789', '0123456789', '0123456789 -'],
])
const key = detector('key', /-----BEGIN KEY-----[\w+/=\s]*(?:-----END KEY-----)?/g, '[key]')
const masks = [email, card, key]

function through(chunks: readonly Buffer[], with_ = masks): string {
  const masker = new TextMasker()
  masker.setMasks(with_)
  return Buffer.concat([...chunks.map((chunk) => masker.push(chunk)), masker.end()]).toString('latin1')
}

function whole(text: string, with_ = masks): string {
  return Buffer.from(through([Buffer.from(text)], with_), 'latin1').toString()
}

const cases: [name: string, input: string, output: string][] = [
  ['a value', 'mail ada@example.com now\n', 'mail [email] now\n'],
  ['two in a line', 'ada@example.com 4111 1111 1111 1111\r\n', '[email] [card]\r\n'],
  ['at the end without a newline', 'x ada@example.com', 'x [email]'],
  [
    'colour inside the value',
    'ada\x1b[01;31m\x1b[K@\x1b[m\x1b[Kexample.com!\n',
    '[email]\x1b[01;31m\x1b[K\x1b[m\x1b[K!\n',
  ],
  ['colour around the value', '\x1b[32mada@example.com\x1b[0m\n', '\x1b[32m[email]\x1b[0m\n'],
  ['the cursor moved inside', 'ada@exam\x1b[3;4Hple.com\n', 'ada@exam\x1b[3;4Hple.com\n'],
  ['letters of other scripts around it', 'é ada@example.com – 😀 4111111111111111 ü\n', 'é [email] – 😀 [card] ü\n'],
  ['nothing sensitive', 'plain text\nmore\n', 'plain text\nmore\n'],
  ['a value of several lines', 'a\n-----BEGIN KEY-----\nAAAA\nBBBB==\n-----END KEY-----\nb\n', 'a\n[key]\nb\n'],
  ['a window title', '\x1b]0;ada@example.com\x07$ ', '\x1b]0;[email]\x07$ '],
]

test.each(cases)('masks %s', (_, input, output) => {
  expect(whole(input)).toBe(output)
})

test.each(cases)('gives the same when split at every place: %s', (_, input, output) => {
  const bytes = Buffer.from(input)
  for (let at = 0; at <= bytes.length; at += 1) {
    expect(Buffer.from(through([bytes.subarray(0, at), bytes.subarray(at)]), 'latin1').toString()).toBe(output)
  }
  expect(Buffer.from(through([...bytes].map((byte) => Buffer.from([byte]))), 'latin1').toString()).toBe(output)
})

test('keeps bytes that are not UTF-8, and still masks between them', () => {
  const input = Buffer.concat([
    Buffer.from([0xff, 0xc3, 0x20]),
    Buffer.from('ada@example.com'),
    Buffer.from([0x80, 0x0a]),
  ])
  const output = Buffer.from(through([input]), 'latin1')
  expect(
    output.equals(Buffer.concat([Buffer.from([0xff, 0xc3, 0x20]), Buffer.from('[email]'), Buffer.from([0x80, 0x0a])])),
  ).toBe(true)
})

test('finds values at every place of a line that is too long to wait for', () => {
  for (let at = 4075; at < 4100; at += 1) {
    const input = `${'x'.repeat(at)} ada@example.com ${'y'.repeat(6000)}`
    expect(whole(input)).toBe(`${'x'.repeat(at)} [email] ${'y'.repeat(6000)}`)
  }
})

test('a value longer than the window is masked to its end', () => {
  const long = detector('token', /tok_[a-z]+/g, '[token]')
  expect(whole(`a tok_${'q'.repeat(20_000)} b`, [long])).toBe('a [token] b')
})

test.each([
  ['with a detector that says nothing of its characters', masks],
  ['where text can be passed over', [email, card]],
])('what comes out does not depend on the chunks, %s', (_, chosen) => {
  const word = fc.constantFrom(
    'ada@example.com',
    '4111 1111 1111 1111',
    ' ',
    'x',
    '\n',
    '\r\n',
    '\x1b[31m',
    '\x1b[K',
    '\x1b[2;2H',
    '\x1b ',
    '\x1b(B',
    'é',
    '😀',
    '@',
    '1234',
    'a.b',
    '-----BEGIN KEY-----\n',
    'QUJD\n',
    '-----END KEY-----',
    'z'.repeat(700),
    'z'.repeat(4090),
    '\x1b]0;',
    '\x07',
    '"',
  )
  const bytes = fc.array(
    fc.oneof(
      word.map((text) => Buffer.from(text)),
      fc.uint8Array({ maxLength: 4 }).map((raw) => Buffer.from(raw)),
    ),
    { maxLength: 60 },
  )
  fc.assert(
    fc.property(bytes, fc.array(fc.nat(), { maxLength: 20 }), (parts, seeds) => {
      const input = Buffer.concat(parts)
      const cuts = [...new Set(seeds.map((seed) => seed % (input.length + 1)))].sort((a, b) => a - b)
      const chunks = [0, ...cuts].map((from, i) => input.subarray(from, cuts[i] ?? input.length))
      expect(through(chunks, chosen)).toBe(through([input], chosen))
      const searched = chosen.map(({ shapes: _, ...mask }) => mask)
      expect(through(chunks, searched)).toBe(through([input], chosen))
    }),
    { numRuns: 400 },
  )
})

test('an idle stream shows its prompt, and a value that was begun is covered as wide as it is', () => {
  const masker = new TextMasker()
  masker.setMasks(masks)
  expect(masker.push(Buffer.from('login: ')).toString()).toBe('')
  expect(masker.flush().toString()).toBe('login: ')
  expect(masker.push(Buffer.from('ada@ex')).toString()).toBe('')
  expect(masker.flush().toString()).toBe('ada@ex')
  expect(masker.push(Buffer.from('ample.com ok\n')).toString()).toBe('********* ok\n')
})

test('an idle stream never parts a character or an escape sequence', () => {
  const masker = new TextMasker()
  masker.setMasks(masks)
  masker.push(Buffer.concat([Buffer.from('a'), Buffer.from('😀').subarray(0, 2)]))
  expect(masker.flush().toString()).toBe('a')
  masker.push(Buffer.concat([Buffer.from('😀').subarray(2), Buffer.from('b\x1b[3')]))
  expect(masker.flush().toString()).toBe('😀b')
  masker.push(Buffer.from('1mc'))
  expect(masker.flush().toString()).toBe('\x1b[31mc')
})

test('holds back no more than a window', () => {
  const masker = new TextMasker()
  masker.setMasks(masks)
  for (let i = 0; i < 50; i += 1) {
    masker.push(Buffer.alloc(1000, 'a'))
    expect(masker.holding).toBeLessThan(4096 + 512)
  }
})

test('counts by class, once each', () => {
  const masker = new TextMasker()
  masker.setMasks(masks)
  masker.push(Buffer.from('ada@example.com bob@example.com '))
  masker.flush()
  masker.push(Buffer.from('4111111111111111\n'))
  expect([...masker.takeCounts()].map(([name, { count }]) => [name, count])).toEqual([
    ['email', 2],
    ['card', 1],
  ])
  expect(masker.takeCounts().size).toBe(0)
})

test('passes chunks by reference when nothing is masked for this person', () => {
  const masker = new TextMasker()
  const chunk = Buffer.from('ada@example.com')
  expect(masker.push(chunk)).toBe(chunk)
})
