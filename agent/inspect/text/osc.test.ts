import fc from 'fast-check'
import { expect, test } from 'vitest'
import { OscStripper } from './osc.ts'

function through(chunks: readonly Buffer[]): string {
  const stripper = new OscStripper()
  return Buffer.concat([...chunks.map((chunk) => stripper.push(chunk)), stripper.end()]).toString('latin1')
}

const cases: [name: string, input: string, output: string][] = [
  ['ended by BEL', 'a\x1b]7717;eyJ9\x07b', 'ab'],
  ['ended by ST', 'a\x1b]7717;eyJ9\x1b\\b', 'ab'],
  ['with leading zeros', 'a\x1b]0007717;x\x07b', 'ab'],
  ['with control characters inside', 'a\x1b\r]77\n17\x7f;x\x07b', 'ab'],
  ['by its 8-bit introducer', 'a\xc2\x9d7717;x\xc2\x9cb', 'ab'],
  ['ended by CAN', 'a\x1b]7717;x\x18b', 'ab'],
  ['without a parameter', 'a\x1b]7717\x07b', 'ab'],
  ['without an end', 'a\x1b]7717;xyz', 'a'],
  ['cut by another sequence', 'a\x1b]7717;x\x1b[31mb', 'a\x1b[31mb'],
  ['twice in a row', '\x1b]7717;x\x1b\x1b]7717;y\x07b', 'b'],
  ['a title', 'a\x1b]0;title\x07b', 'a\x1b]0;title\x07b'],
  ['a number that only begins alike', 'a\x1b]77171;x\x07b', 'a\x1b]77171;x\x07b'],
  ['a shorter number', 'a\x1b]771;x\x07b', 'a\x1b]771;x\x07b'],
  ['colours and other scripts', '\x1b[31mr\xc3\xa9\xc2\xa0\x1b[0m', '\x1b[31mr\xc3\xa9\xc2\xa0\x1b[0m'],
  ['an escape at the end', 'abc\x1b', 'abc\x1b'],
  ['an endless introducer', `a\x1b]${'0'.repeat(200)}7717;x\x07b`, 'ab'],
]

test.each(cases)('%s', (_, input, output) => {
  expect(through([Buffer.from(input, 'latin1')])).toBe(output)
})

test.each(cases)('split at every place: %s', (_, input, output) => {
  const bytes = Buffer.from(input, 'latin1')
  for (let at = 0; at <= bytes.length; at += 1)
    expect(through([bytes.subarray(0, at), bytes.subarray(at)])).toBe(output)
  expect(through([...bytes].map((byte) => Buffer.from([byte])))).toBe(output)
})

test('what comes out does not depend on the chunks, and never holds a decision', () => {
  const part = fc.constantFrom(
    '\x1b',
    ']',
    '7717',
    '77',
    '17',
    ';',
    '\x07',
    '\\',
    '\x18',
    'a',
    '\xc2',
    '\x9d',
    '\x9c',
    '\n',
    '0',
  )
  fc.assert(
    fc.property(fc.array(part, { maxLength: 40 }), fc.array(fc.nat(), { maxLength: 10 }), (parts, seeds) => {
      const input = Buffer.from(parts.join(''), 'latin1')
      const cuts = [...new Set(seeds.map((seed) => seed % (input.length + 1)))].sort((a, b) => a - b)
      const chunks = [0, ...cuts].map((from, i) => input.subarray(from, cuts[i] ?? input.length))
      const output = through([input])
      expect(through(chunks)).toBe(output)
      expect(through([Buffer.from(output, 'latin1')])).toBe(output)
      // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this is about
      expect(output).not.toMatch(/(?:\x1b[\n]*\]|\xc2\x9d)[\n0]*7\n*7\n*1\n*7(?!\n*[0-9])\n*;/)
    }),
    { numRuns: 2000 },
  )
})

test('passes chunks by reference when there is nothing to look at', () => {
  const chunk = Buffer.from('plain')
  expect(new OscStripper().push(chunk)).toBe(chunk)
})
