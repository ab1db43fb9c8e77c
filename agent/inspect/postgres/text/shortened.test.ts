import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { loadParser, scan } from '../parser.ts'
import { shortened } from './shortened.ts'

beforeAll(loadParser)

const long = 'x'.repeat(2_000)

describe('a long text with its literals left out', () => {
  it.each([
    [`insert into t values (1, '${long}')`, 1],
    [`insert into t values (1, '${long}''${long}', e'\\\\x${long}\\'', 'short')`, 2],
    [`select '${long}' as "it's", $$it's$$, $q$'${long}'$q$, '${long}' -- it's`, 2],
    [`select /* it's '${long}' /* nested */ ' */ '${long}'`, 1],
    [`select N'${long}', 'é', 'é${long}'`, 2],
  ])('%#', (text, count) => {
    const short = shortened(text) ?? ''
    expect(short.match(/characters, left out here/g)).toHaveLength(count)
  })

  it.each([
    ['what is short', "select 'a', $$b$$", false],
    ['bit strings', `select x'${'a'.repeat(2_000)}'`, true],
    ['strings in Unicode escapes', `select U&'${long}'`, true],
    ['a string that goes on in the next line', `select '${long}'\n'${long}'`, true],
    ['a string without an end', `select '${long}`, true],
    ['too much beside them', `select ${'1, '.repeat(200_000)} 1`, true],
  ])('leaves %s as they are, or says nothing', (_, text, nothing) => {
    expect(shortened(text)).toBe(nothing ? undefined : text)
  })

  it('reads as nothing, whatever it is taken for', () => {
    const short = shortened(`select query('select 1; -- ${long}')`) ?? ''
    expect(short).toContain("query('(2013 characters, left out here; they begin: select 1; -- xxx")
  })

  it('has the tokens that PostgreSQL’s scanner finds in the text, but for what is left out', () => {
    const pieces = fc.constantFrom(
      ...[
        "'",
        "''",
        '\\',
        '$',
        '$$',
        '$a$',
        '"',
        'e',
        'E',
        'n',
        'u&',
        'b',
        'x',
        '--',
        '\n',
        '/*',
        '*/',
        ' ',
        'a',
        '1',
        ',',
      ],
      ...[`'${long}'`, `e'${long}\\'`, long, `$a$${long}$a$`],
    )
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 14 }), (parts) => {
        const text = parts.join('')
        const short = shortened(text)
        if (short === undefined) return
        expect(tokens(short)).toEqual(tokens(text))
      }),
      { numRuns: 3_000, seed: 7 },
    )
  })
})

/** Names of the tokens, with what those say that are no strings. */
function tokens(text: string): unknown {
  const scanned = scan(text)
  if (scanned.kind !== 'tokens') return scanned.kind
  return scanned.tokens.map(({ name, text: said }) =>
    name === 'SCONST' ? [name, said.length > 512 || said.includes('left out here')] : [name, said],
  )
}
