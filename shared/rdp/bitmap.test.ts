import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bitmapUpdate } from './bitmap.ts'
import { RdpError } from './bytes.ts'

function update(width: number, height: number, depth: number, flags: number, data: readonly number[]): Buffer {
  const head = Buffer.alloc(20)
  const fields = [1, 0, 0, Math.max(width - 1, 0), Math.max(height - 1, 0), width, height, depth, flags, data.length]
  for (const [i, field] of fields.entries()) head.writeUInt16LE(field, i * 2)
  return Buffer.concat([head, Buffer.from(data)])
}

function pixels(bytes: Buffer): number[] {
  const [picture] = [...bitmapUpdate(bytes)]
  return [...(picture?.pixels ?? [])]
}

const compressed = 0x401

describe('interleaved run lengths', () => {
  const [black, white, red] = [0, 0xffffff, 0xff0000]
  const redBytes = [0, 0, 0xff]

  test('runs of the background, and of the row below', () => {
    // Bottom row: 4 red. Then a background run of 4 copies it.
    expect(pixels(update(4, 2, 24, compressed, [0x64, ...redBytes, 0x04]))).toEqual(Array(8).fill(red))
  })

  test('two background runs have a foreground pixel between them', () => {
    expect(pixels(update(5, 1, 24, compressed, [0x02, 0x03]))).toEqual([black, black, white, black, black])
  })

  test('but not across the first row', () => {
    expect(pixels(update(2, 2, 24, compressed, [0x02, 0x02]))).toEqual([black, black, black, black])
  })

  test('foreground, set and used: XOR with the row below', () => {
    // Bottom: two red pixels of colour image; above: foreground run in red gives black.
    expect(pixels(update(2, 2, 24, compressed, [0x82, ...redBytes, ...redBytes, 0xc2, ...redBytes]))).toEqual([
      black,
      black,
      red,
      red,
    ])
  })

  test('patterns, fixed patterns, single pixels', () => {
    expect(pixels(update(8, 1, 24, compressed, [0x41, 0b00000101]))).toEqual([
      white,
      black,
      white,
      ...Array(5).fill(black),
    ])
    expect(pixels(update(8, 1, 24, compressed, [0xf9]))).toEqual([white, white, ...Array(6).fill(black)])
    expect(pixels(update(8, 1, 24, compressed, [0xfa]))).toEqual([white, black, white, ...Array(5).fill(black)])
    expect(pixels(update(2, 1, 24, compressed, [0xfd, 0xfe]))).toEqual([white, black])
  })

  test('dithered, and long forms', () => {
    expect(pixels(update(4, 1, 24, compressed, [0xe2, 0, 0, 0, ...redBytes]))).toEqual([black, red, black, red])
    // 40 = 32 + 8 in a regular order's second byte; 300 in a mega order.
    expect(pixels(update(40, 1, 24, compressed, [0x60, 8, ...redBytes]))).toEqual(Array(40).fill(red))
    expect(pixels(update(300, 1, 24, compressed, [0xf3, 300 & 255, 300 >> 8, ...redBytes]))).toEqual(
      Array(300).fill(red),
    )
  })

  test('at 16 and 15 bits, colours fill their range', () => {
    expect(pixels(update(2, 1, 16, compressed, [0x62, 0xff, 0xff]))).toEqual([white, white])
    expect(pixels(update(2, 1, 15, compressed, [0x62, 0x00, 0x7c]))).toEqual([red, red])
  })
})

test('plain pixels: from the bottom, rows padded to four bytes', () => {
  const rows = [1, 0, 0, 2, 0, 0, 0, 0, 3, 0, 0, 4, 0, 0, 0, 0]
  expect(pixels(update(2, 2, 24, 0, rows))).toEqual([3, 4, 1, 2])
})

test('planes of 32 bits: raw, and as differences with runs', () => {
  // No alpha, raw: red, green, blue planes of 2 × 1.
  expect(pixels(update(2, 1, 32, compressed, [0x20, 1, 2, 3, 4, 5, 6]))).toEqual([0x010305, 0x020406])
  // Runs: each plane's first row is 7 and 7 again; the second differs by 1 (zigzag 2) twice.
  const plane = [0x11 | 0, 7, 0, 0]
  expect(plane.length).toBe(4)
  const one = [0x20, 7, 7, 0x20, 2, 2]
  expect(pixels(update(2, 2, 32, compressed, [0x30, ...one, ...one, ...one]))).toEqual([
    0x080808, 0x080808, 0x070707, 0x070707,
  ])
})

test('anything else is refused, within bounds', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 200 }),
      fc.integer({ min: 0, max: 40 }),
      fc.integer({ min: 0, max: 40 }),
      fc.constantFrom(8, 15, 16, 24, 32),
      fc.constantFrom(0, 1, compressed),
      (data, width, height, depth, flags) => {
        try {
          for (const picture of bitmapUpdate(update(width, height, depth, flags, [...data]))) {
            expect(picture.pixels.length).toBe(width * height)
          }
        } catch (error) {
          expect(error).toBeInstanceOf(RdpError)
        }
      },
    ),
    { numRuns: 1_000 },
  )
  expect(() => pixels(update(30_000, 30_000, 24, compressed, []))).toThrow(/too large/)
})
