import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FRAGMENT, FrameScanner, NONE, Outbox, WHOLE } from './frames.ts'
import { message } from './messages.ts'

/** What a reader sees: whole frames, or a streamed one put back together. */
function read(chunks: readonly Buffer[], streamed: number): Buffer[] {
  const scanner = new FrameScanner((type) => (type === streamed ? 'stream' : 'whole'))
  const frames: Buffer[] = []
  let parts: Buffer[] = []
  for (const chunk of chunks) {
    scanner.push(chunk)
    for (let found = scanner.next(); found !== NONE; found = scanner.next()) {
      const bytes = Buffer.from(scanner.buf.subarray(scanner.start, scanner.end))
      if (found === WHOLE) {
        expect(parts).toEqual([])
        frames.push(bytes)
      } else {
        expect(found).toBe(FRAGMENT)
        expect(scanner.first).toBe(parts.length === 0)
        parts.push(bytes)
        if (!scanner.last) continue
        frames.push(Buffer.concat(parts))
        parts = []
      }
    }
  }
  expect(scanner.atBoundary).toBe(true)
  return frames
}

const frames = [
  message(0x44, Buffer.from('abc')),
  message(0x5a, Buffer.from('I')),
  message(0x64, Buffer.alloc(40, 7)),
  message(0x49),
]

describe('FrameScanner', () => {
  it('finds the same frames however the stream is split in three', () => {
    const stream = Buffer.concat(frames)
    for (let a = 0; a <= stream.length; a++) {
      for (let b = a; b <= stream.length; b++) {
        const chunks = [stream.subarray(0, a), stream.subarray(a, b), stream.subarray(b)]
        expect(read(chunks, 0x64)).toEqual(frames)
      }
    }
  })

  it('finds the same frames when bytes come one by one', () => {
    const stream = Buffer.concat(frames)
    expect(
      read(
        [...stream].map((byte) => Buffer.from([byte])),
        0,
      ),
    ).toEqual(frames)
  })

  it('refuses a length that does not count itself', () => {
    const scanner = new FrameScanner(() => 'whole')
    scanner.push(Buffer.from([0x44, 0, 0, 0, 3]))
    expect(() => scanner.next()).toThrow('length 3')
    const negative = new FrameScanner(() => 'whole')
    negative.push(Buffer.from([0x44, 0xff, 0xff, 0xff, 0xff]))
    expect(() => negative.next()).toThrow('length -1')
  })

  it('holds no more than arrived, whatever length is claimed', () => {
    const scanner = new FrameScanner(() => 'whole')
    scanner.push(Buffer.from([0x44, 0x7f, 0xff, 0xff, 0xff, 1, 2, 3]))
    expect(scanner.next()).toBe(NONE)
    expect(scanner.waiting).toBe(8)
  })
})

describe('Outbox', () => {
  it('writes once what came in once, and loses nothing', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 200 }),
        fc.array(fc.nat(40), { maxLength: 12 }),
        (bytes, steps) => {
          const chunk = Buffer.from(bytes)
          const box = new Outbox()
          const written: Buffer[] = []
          const sink = { write: (b: Buffer) => written.push(b) > 0, cork: () => {}, uncork: () => {} }
          let at = 0
          for (const step of steps) {
            const end = Math.min(chunk.length, at + step)
            box.add(chunk, at, end)
            at = end
          }
          box.add(chunk, at, chunk.length)
          box.flush(sink)
          expect(box.written).toBe(chunk.length)
          expect(written.length).toBe(1)
          expect(Buffer.concat(written)).toEqual(chunk)
        },
      ),
    )
  })
})
