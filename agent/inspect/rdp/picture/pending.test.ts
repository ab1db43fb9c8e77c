import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decoded, type EncodedPicture, Scratch } from '../../../../shared/rdp/bitmap.ts'
import { Canvas } from './canvas.ts'
import { PendingPictures } from './pending.ts'

/** A rectangle of one colour, in places that often fall together. */
const picture = fc
  .tuple(fc.nat(3), fc.nat(3), fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 }), fc.nat(255))
  .map(([x, y, width, height, value]): EncodedPicture => {
    const source = Buffer.alloc(((width * 3 + 3) & ~3) * height, value)
    return { x, y, width, height, shownWidth: width, shownHeight: height, depth: 24, compressed: false, source }
  })

test('leaving out what is covered changes nothing that is seen', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(picture, { maxLength: 40 }), async (pictures) => {
      const [all, few] = [new Canvas(6, 6), new Canvas(6, 6)]
      const pending = new PendingPictures()
      const scratch = new Scratch()
      for (const each of pictures) {
        all.draw(decoded(each, scratch))
        pending.add(each)
      }
      for (const each of pending.take()) few.draw(decoded(each, scratch))
      expect(pending.bytes).toBe(0)
      expect(await few.frame(true)).toEqual(await all.frame(true))
    }),
  )
})

test('a screen that is painted again and again waits once', () => {
  const pending = new PendingPictures()
  const source = Buffer.alloc(12)
  for (let i = 0; i < 1_000; i++) {
    pending.add({
      x: i % 4,
      y: 0,
      width: 4,
      height: 1,
      shownWidth: 4,
      shownHeight: 1,
      depth: 24,
      compressed: false,
      source,
    })
  }
  expect([pending.count, pending.bytes]).toEqual([4, 48])
})
