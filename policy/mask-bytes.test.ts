import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { byteMaskFor, isNull, room, undecided } from './mask-bytes.ts'
import { maskFor, maskKinds } from './masks.ts'

const hash = (): string => '0'.repeat(64)

/** What the byte form makes of a value; undefined where it leaves it to strings. Checks that it keeps to its room. */
function masked(kind: (typeof maskKinds)[number], value: Buffer): string | null | undefined {
  const mask = byteMaskFor(kind)
  if (mask === undefined) return undefined
  const input = Buffer.concat([Buffer.from('..@7'), value, Buffer.from('8@..')])
  const space = room(value.length)
  const output = Buffer.alloc(space + 10, 0xff)
  const written = mask(viewOf(input), 4, 4 + value.length, viewOf(output), 5)
  if (written === isNull) return null
  if (written === undecided) return undefined
  expect(output.subarray(0, 5).every((byte) => byte === 0xff)).toBe(true)
  expect(output.subarray(5 + space).every((byte) => byte === 0xff)).toBe(true)
  expect(written).toBeLessThanOrEqual(space)
  return output.toString('utf8', 5, 5 + written)
}

function viewOf({ buffer, byteOffset, byteLength }: Buffer): DataView {
  return new DataView(buffer, byteOffset, byteLength)
}

const likely = fc.oneof(
  fc.emailAddress(),
  fc.stringMatching(/^[0-9 -]{0,24}$/),
  fc.stringMatching(/^[A-Za-z0-9 .@+-]{0,40}$/),
  fc.string({ maxLength: 40 }),
  fc.string({ unit: 'binary', maxLength: 30 }).map((text) => text.toWellFormed()),
)

describe.each(maskKinds)('%s', (kind) => {
  test('says on bytes what it says on strings, within its room', () => {
    const mask = maskFor(kind, hash)
    fc.assert(
      fc.property(likely, (value) => {
        const found = masked(kind, Buffer.from(value))
        if (found !== undefined) expect(found).toBe(mask(value))
      }),
      { numRuns: 1000 },
    )
  })

  test('says it of bytes that are no text, too', () => {
    const mask = maskFor(kind, hash)
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 20 }), (bytes) => {
        const found = masked(kind, Buffer.from(bytes))
        if (found !== undefined) expect(found).toBe(mask(Buffer.from(bytes).toString('utf8')))
      }),
      { numRuns: 1000 },
    )
  })
})

test('ASCII is never left to strings', () => {
  for (const value of [
    '',
    'a',
    'a@b',
    'a@b.com',
    '@',
    '@bcd',
    'a@b@',
    'a@b.c1m',
    '4556737586894417',
    '12345678901234567890',
    'DE89 3704 0044 0532 0130 00',
  ])
    expect(masked('partial', Buffer.from(value))).toBe(maskFor('partial', hash)(value))
})
