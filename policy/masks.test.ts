import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatPreserving, maskFor, partial, redacted } from './masks.ts'

const hash = (value: string): string => createHmac('sha256', 'key').update(value).digest('hex')

describe('partial', () => {
  test.each([
    ['lena.fischer@mailbox.com', 'l•••@•••.com'],
    ['a@b.example', 'a•••@•••.example'],
    ['a@host', 'a•••@•••'],
    ['a@b.x1', 'a•••@•••'],
    ['"x@y"@b.org', '"•••@•••.org'],
    ['😀x@b.org', '😀•••@•••.org'],
    ['4556737586894417', '•••• •••• •••• 4417'],
    ['4556-7375-8689-4417', '•••• •••• •••• 4417'],
    ['378282246310005', '•••• •••• •••• 0005'],
    ['+353 86 123 4567', '+••• •• ••• 4567'],
    ['(202) 555-0143', '(•••) •••-•143'],
    ['DE89 3704 0044 0532 0130 00', '•••• •••• •••• •••• ••30 00'],
    ['abc', '•••'],
    ['12345', '•••••'],
    ['@x', '@•'],
    ['', ''],
    ['Łódź 12', '•••• 12'],
  ])('%s → %s', (value, expected) => {
    expect(partial(value)).toBe(expected)
  })

  test('shows at most four characters of a number, a third of anything else', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Za-z0-9 -]{0,40}$/), (value) => {
        const shown = partial(value).replace(/[• -]/g, '')
        const size = value.replace(/[ -]/g, '').length
        expect(shown.length).toBeLessThanOrEqual(Math.min(4, Math.floor(size / 3)))
      }),
    )
  })
})

test('redact and null say nothing of the value', () => {
  expect(['', 'a', 'a'.repeat(99)].map(maskFor('redact', hash))).toEqual([redacted, redacted, redacted])
  expect(maskFor('null', hash)('x')).toBeNull()
})

test('hash is the same for the same value, and another for another', () => {
  const mask = maskFor('hash', hash)
  expect(mask('ada')).toMatch(/^[0-9a-f]{16}$/)
  expect(mask('ada')).toBe(mask('ada'))
  expect(mask('ada')).not.toBe(mask('adb'))
})

test('format keeps the look, the same for the same value, whatever its length', () => {
  expect(formatPreserving('AB-12 cd', hash)).toMatch(/^[A-Z]{2}-\d\d [a-z]{2}$/)
  expect(formatPreserving('4556737586894417', hash)).not.toBe('4556737586894417')
  fc.assert(
    fc.property(fc.stringMatching(/^[A-Za-z0-9 .@-]{0,80}$/), (value) => {
      const masked = formatPreserving(value, hash)
      expect(formatPreserving(value, hash)).toBe(masked)
      const look = (text: string) => text.replace(/\d/g, '0').replace(/[a-z]/g, 'a').replace(/[A-Z]/g, 'A')
      expect(look(masked)).toBe(look(value))
    }),
  )
})
