import { expect, test } from 'vitest'
import { WholeTiles } from './whole-tiles.ts'

/** A fast-path PDU with one bitmap update of these tiles: left, right, width of the bitmap. */
function pdu(...tiles: readonly [number, number, number][]): Buffer {
  const parts = tiles.map(([left, right, width]) => {
    const head = Buffer.alloc(18)
    for (const [i, n] of [left, 0, right, 0, width, 1, 16, 0, width * 2].entries()) head.writeUInt16LE(n, i * 2)
    return Buffer.concat([head, Buffer.alloc(width * 2, 7)])
  })
  const data = Buffer.concat([Buffer.from([1, 0, tiles.length, 0]), ...parts])
  const update = Buffer.concat([Buffer.from([1, data.length & 0xff, data.length >> 8]), data])
  const length = update.length + 3
  return Buffer.concat([Buffer.from([0, 0x80 | (length >> 8), length & 0xff]), update])
}

test('a place is made as wide as its bitmap, and no wider than the desktop', () => {
  expect(new WholeTiles(800).push(pdu([10, 16, 8], [20, 27, 8], [790, 798, 12]))).toEqual(
    pdu([10, 17, 8], [20, 27, 8], [790, 798, 12]),
  )
})

test('cut anywhere, the bytes come out whole and in order, others as they are', () => {
  const tpkt = Buffer.from([3, 0, 0, 7, 2, 0xf0, 0x80])
  const stream = Buffer.concat([tpkt, pdu([10, 16, 8]), Buffer.from([0, 5, 3, 0, 0]), pdu([0, 1, 4])])
  const expected = Buffer.concat([tpkt, pdu([10, 17, 8]), Buffer.from([0, 5, 3, 0, 0]), pdu([0, 3, 4])])
  for (let at = 0; at <= stream.length; at += 1) {
    const tiles = new WholeTiles(800)
    const copy = Buffer.from(stream)
    const out = [tiles.push(Buffer.from(copy.subarray(0, at))), tiles.push(Buffer.from(copy.subarray(at)))]
    expect(Buffer.concat(out)).toEqual(expected)
  }
})
