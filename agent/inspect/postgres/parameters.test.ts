import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { int16, int32 } from './messages.ts'
import { type Bound, withParameters } from './parameters.ts'

type Value = { binary: boolean; bytes: Uint8Array | null }

function bound(values: readonly Value[]): Bound {
  const buf = Buffer.concat([
    int16(values.length),
    ...values.map(({ binary }) => int16(binary ? 1 : 0)),
    int16(values.length),
    ...values.flatMap(({ bytes }) => (bytes === null ? [int32(-1)] : [int32(bytes.length), Buffer.from(bytes)])),
    int16(0),
  ])
  return { buf, at: 0, end: buf.length }
}

const text = (value: string): Value => ({ binary: false, bytes: Buffer.from(value) })

describe('withParameters', () => {
  it.each([
    ['7', "'7'"],
    ["O'Neil", "'O''Neil'"],
    ['C:\\tmp', "'C:\\tmp'"],
    ['a\nb', "E'a\\nb'"],
    ['a\\\tb', "E'a\\\\\\tb'"],
    ['a\u202eb', "E'a\\U0000202eb'"],
  ])('%j reads %s', (value, shown) => {
    expect(withParameters('SELECT $1', bound([text(value)]))).toBe(`SELECT $1\n-- $1 = ${shown}`)
  })

  it('tells binary, NULL and text apart', () => {
    const values: Value[] = [{ binary: true, bytes: Buffer.from('A') }, { binary: false, bytes: null }, text('\\x41')]
    expect(withParameters('X', bound(values))).toBe("X\n-- $1 = \\x41, $2 = NULL, $3 = '\\x41'")
  })

  it('cuts for the record, and only there', () => {
    const long = text('a'.repeat(5_000))
    expect(withParameters('X', bound([long]), { longest: 1_000, redact: (value) => value })).toBe(
      `X\n-- $1 = '${'a'.repeat(1_000)}…'`,
    )
    expect(withParameters('X', bound([long]))).toContain('a'.repeat(5_000))
    const redact = (value: string) => value.replace('secret', "it's •")
    const shown = withParameters('X', bound([text('a secret'), text('b')]), { longest: 1_000, redact })
    expect(shown).toBe("X\n-- $1 = 'a it''s •', $2 = 'b'")
  })

  it('stays one line, and reads differently for different values', () => {
    const value = fc.record({
      binary: fc.boolean(),
      bytes: fc.option(
        fc.oneof(
          fc.uint8Array({ maxLength: 6 }),
          fc.constantFrom('\n', '\r', ' ', '\\n', '\\\n', "'", "''", '\u2028', '\\x41').map((one) => Buffer.from(one)),
        ),
        { nil: null },
      ),
    })
    fc.assert(
      fc.property(fc.array(value, { maxLength: 3 }), fc.array(value, { maxLength: 3 }), (a, b) => {
        const [one, other] = [withParameters('X', bound(a)), withParameters('X', bound(b))]
        expect(one.split(/[\n\r\u2028\u2029\u0085]/u).length).toBeLessThanOrEqual(2)
        const same =
          a.length === b.length &&
          a.every((v, i) =>
            v.bytes === null
              ? b[i]?.bytes === null
              : b[i]?.bytes != null && v.binary === b[i]?.binary && Buffer.compare(v.bytes, b[i].bytes) === 0,
          )
        expect(one === other).toBe(same)
      }),
      { numRuns: 2000 },
    )
  })
})
