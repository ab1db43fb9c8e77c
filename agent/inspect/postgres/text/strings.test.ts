import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { loadParser } from '../parser.ts'
import { withEscapeStrings } from './strings.ts'

beforeAll(loadParser)

describe('texts sent with standard_conforming_strings off', () => {
  it.each([
    ["select 'plain'", "select 'plain'"],
    ["select 'a\\'b', 'c'", "select  E'a\\'b', 'c'"],
    [
      "select E'\\'', b'1', $$\\'$$, \"\\\", /* '\\ /* */ */ 'x\\\\' -- '\\",
      "select E'\\'', b'1', $$\\'$$, \"\\\", /* '\\ /* */ */  E'x\\\\' -- '\\",
    ],
    ["select 'a\\''\n 'b\\''", "select  E'a\\''\n 'b\\''"],
    ["select é$a'\\''", undefined],
    ["select 'ü\\'', $1, $a$'\\'$a$, a$b from \"'\\\"", "select  E'ü\\'', $1, $a$'\\'$a$, a$b from \"'\\\""],
  ])('%s', (sent, read) => {
    expect(withEscapeStrings(sent)).toBe(read)
  })

  it.each(["select N'\\''", "select U&'\\0061'", "select 'open\\'", 'select $$\\', '/* \\', '"\\'])(
    '%s is not read',
    (sent) => {
      expect(withEscapeStrings(sent)).toBeUndefined()
    },
  )

  it('leaves no string whose reading hangs on the setting', () => {
    const piece = fc.constantFrom(
      "'",
      "''",
      '\\',
      '"',
      '$$',
      '$a$',
      '--',
      '/*',
      '*/',
      '\n',
      ' ',
      'E',
      'n',
      'u&',
      'b',
      'a',
      '1',
      ';',
      'é',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 16 }), (pieces) => {
        const read = withEscapeStrings(pieces.join(''))
        // Read once more, it stays as it is: there is nothing left that the setting could change.
        if (read !== undefined) expect(withEscapeStrings(read)).toBe(read)
      }),
      { numRuns: 2_000 },
    )
  })
})
