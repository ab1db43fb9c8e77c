import { EventEmitter } from 'node:events'
import { expect, test } from 'vitest'
import { createZoom } from './zoom.ts'

test('one zoom for every window, kept over loads, in steps that people know', () => {
  const set: number[] = []
  const contents = Object.assign(new EventEmitter(), { setZoomFactor: (factor: number) => void set.push(factor) })
  const zoom = createZoom(() => [contents])
  zoom.keep(contents)
  zoom.apply(1.25)
  contents.emit('did-finish-load')
  expect(set).toEqual([1.25, 1.25])
  expect([zoom.next(1), zoom.next(-1), zoom.next(0)]).toEqual([1.5, 1.1, 1])
  zoom.apply(2)
  expect(zoom.next(1)).toBe(2)
})
