import { expect, test } from 'vitest'
import { fitsToast } from './fits.ts'

test('Approve is offered where all that would run is in the toast, and nowhere else', () => {
  const text = 'DELETE FROM orders WHERE id = 7'
  expect(fitsToast({ kind: 'once', text })).toBe(true)
  expect(fitsToast({ kind: 'once', text, textHidden: true })).toBe(false)
  expect(fitsToast({ kind: 'once', text: text.padEnd(281) })).toBe(false)
  expect(fitsToast({ kind: 'once', text: text.replaceAll(' ', '\n').concat('\n') })).toBe(false)
  expect(fitsToast({ kind: 'once' })).toBe(false)
  expect(fitsToast({ kind: 'grant', text })).toBe(false)
})
