import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { int16, int32, message } from '../messages.ts'
import { type FieldMask, RowMasker, Sheet } from './rows.ts'

function row(values: readonly (string | null)[]): Buffer {
  const parts = values.flatMap((value) => {
    if (value === null) return [int32(-1)]
    const bytes = Buffer.from(value)
    return [int32(bytes.length), bytes]
  })
  return message(0x44, int16(values.length), ...parts)
}

const star: FieldMask = { kind: 'value', mask: (value) => `*${value.slice(-2)}` }
const longer: FieldMask = { kind: 'value', mask: (value) => 'ü'.repeat(value.length + 200) }
/** On bytes where it can be: NULL for what is empty, three bytes for each otherwise, strings beyond ASCII. */
const tripled: FieldMask = {
  kind: 'value',
  mask: (value) => (value === '' ? null : [...value].map((char) => char.repeat(3)).join('')),
  maskBytes: (input, start, end, output, at) => {
    if (start === end) return -1
    for (let i = start; i < end; i++) {
      const code = input.getUint8(i)
      if (code > 0x7f) return -2
      for (let j = 0; j < 3; j++) output.setUint8(at + 3 * (i - start) + j, code)
    }
    return 3 * (end - start)
  },
}
const none: FieldMask = { kind: 'null' }

describe('RowMasker', () => {
  it('replaces masked fields, keeps the others byte for byte, and lets NULL stay NULL', () => {
    const out = new Sheet(16)
    const masker = new RowMasker([null, star, none, null, longer])
    const bytes = row(['1', 'secret', '42', 'kept', null])
    masker.rows(bytes, 0, bytes.length, out)
    expect(out.buf.subarray(0, out.length)).toEqual(row(['1', '*et', null, 'kept', null]))
  })

  it('equals a rebuild of the row for any rows, masks and sheet size', () => {
    const value = fc.option(fc.string({ unit: 'binary', maxLength: 120 }), { nil: null })
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom<FieldMask | null>(null, star, none, longer, tripled), { minLength: 1, maxLength: 6 }),
        fc.array(fc.array(value, { minLength: 6, maxLength: 6 }), { maxLength: 8 }),
        fc.integer({ min: 1, max: 300 }),
        (masks, rows, size) => {
          const out = new Sheet(size)
          const masker = new RowMasker(masks)
          const taken: Buffer[] = []
          const expected: Buffer[] = []
          rows.forEach((values, i) => {
            const used = values.slice(0, masks.length).map((v) => v?.toWellFormed() ?? null)
            const bytes = Buffer.concat([row(used), row(used)])
            masker.rows(bytes, 0, bytes.length, out)
            const rebuilt = row(
              used.map((v, c) => {
                const mask = masks[c] ?? null
                return v === null || mask === null ? v : mask.kind === 'value' ? mask.mask(v) : null
              }),
            )
            expected.push(rebuilt, rebuilt)
            if (i % 3 === 2) {
              const { buf, start, end } = out.take()
              taken.push(buf.subarray(start, end))
            }
          })
          const { buf, start, end } = out.take()
          taken.push(buf.subarray(start, end))
          expect(Buffer.concat(taken)).toEqual(Buffer.concat(expected))
        },
      ),
    )
  })

  it('refuses rows that are not shaped as described', () => {
    const masker = new RowMasker([star, star])
    const short = row(['a'])
    expect(() => masker.rows(short, 0, short.length, new Sheet(64))).toThrow('another number of fields')
    const lying = row(['a', 'b'])
    lying.writeInt32BE(1000, 7)
    expect(() => masker.rows(lying, 0, lying.length, new Sheet(64))).toThrow('longer than its row')
  })
})
