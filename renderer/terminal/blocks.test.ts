import { describe, expect, test } from 'vitest'
import type { Annotation } from '../../shared/annotation.ts'
import { glyphRow, maskedSpans, shortLine, typed } from './blocks.ts'
import { spread } from './rail.tsx'

const spans = (text: string) => maskedSpans(text).map(({ start, length }) => text.slice(start, start + length))

describe('masked spans of a line', () => {
  test.each([
    ['user=l•••@•••.com ok', ['l•••@•••.com']],
    ['card •••• •••• •••• 4417 charged twice', ['•••• •••• •••• 4417']],
    ['sms to +•• ••• •••3116', ['+•• ••• •••3116']],
    ['postgres://checkout:••••••••@db/orders', ['••••••••']],
    ['a • bullet', []],
  ])('%s', (text, expected) => {
    expect(spans(text)).toEqual(expected)
  })
})

test('rail entries keep their order and their distance', () => {
  const tops = spread([0, 4, 300, 310])
  expect(tops[2]).toBe(300)
  for (const [i, top] of tops.entries()) if (i > 0) expect(top - (tops[i - 1] ?? 0)).toBeGreaterThanOrEqual(38)
})

test('a command that is put at the prompt again sends nothing by itself', () => {
  expect(typed('rm -rf build\r\n\u0003\u001b[2J\u007f')).toBe('rm -rf build[2J')
  expect(typed('grep "é • x" log')).toBe('grep "é • x" log')
})

test('values of several kinds are counted where their names would be cut', () => {
  const column = (dataClass: string) => ({
    source: '',
    label: '',
    position: -1,
    dataClass,
    policy: { id: 'p', reason: '' },
    requestable: false,
  })
  const masked = (...classes: string[]): Annotation => ({ kind: 'masked', columns: classes.map(column), count: 7 })
  expect(shortLine(masked('secret', 'secret'))).toBe('7 values: secret')
  expect(shortLine(masked('secret', 'phone'))).toBe('7 values of 2 kinds')
})

test('a block has its icon beside the line above it, and never over another annotation’s', () => {
  const policy = { id: 'p', reason: '' }
  const blocked: Annotation = { kind: 'blocked', policy, message: '', hint: '', requestable: true }
  const masked: Annotation = { kind: 'masked', columns: [], count: 1 }
  const at = (annotation: Annotation, line: number) => ({ annotation, line })
  expect(glyphRow(at(masked, 4), [at(masked, 4)])).toBe(4)
  expect(glyphRow(at(blocked, 6), [at(masked, 4), at(blocked, 6)])).toBe(5)
  expect(glyphRow(at(blocked, 5), [at(masked, 4), at(blocked, 5)])).toBe(5)
  expect(glyphRow(at(blocked, 11), [at(blocked, 5), at(blocked, 11)])).toBe(10)
})
