import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Annotation } from '../../shared/annotation.ts'
import { AnnotationExtractor, type TerminalPart } from './osc.ts'

const annotation: Annotation = { kind: 'expired', requestId: 'r-1' }
const encoded = Buffer.from(JSON.stringify(annotation)).toString('base64')
const sequence = `\u001b]7717;${encoded}\u001b\\`

function extract(pieces: string[]): { text: string; annotations: Annotation[]; order: string } {
  const extractor = new AnnotationExtractor()
  const parts: TerminalPart[] = [...pieces.flatMap((p) => extractor.push(p)), ...extractor.end()]
  return {
    text: parts.map((p) => (p.type === 'data' ? p.text : '')).join(''),
    annotations: parts.flatMap((p) => (p.type === 'annotation' ? [p.annotation] : [])),
    order: parts.map((p) => (p.type === 'data' ? p.text : '!')).join(''),
  }
}

test('takes annotations out in place, however the output is cut', () => {
  const fragment = fc.constantFrom(
    'plain',
    '\u001b[31mred\u001b[0m',
    '\u001b]0;title\u0007',
    '\u001b',
    '\u001b]',
    '\u001b]77',
    'é😀',
    sequence,
  )
  fc.assert(
    fc.property(fc.array(fragment, { maxLength: 12 }), fc.array(fc.nat(200), { maxLength: 20 }), (fragments, cuts) => {
      const whole = fragments.join('')
      const points = [0, ...cuts.filter((c) => c < whole.length).sort((a, b) => a - b), whole.length]
      const pieces = points.slice(1).map((p, i) => whole.slice(points[i], p))
      const expected = whole.replaceAll(sequence, '!')
      expect(extract(pieces).order).toBe(expected)
      expect(extract(pieces).annotations).toHaveLength(whole.split(sequence).length - 1)
    }),
  )
})

test('ends at a BEL too', () => {
  expect(extract([`a\u001b]7717;${encoded}\u0007b`])).toMatchObject({ text: 'ab', annotations: [annotation] })
})

test('what is no annotation stays in the text, and an endless one is not held', () => {
  const bad = '\u001b]7717;bm90IGpzb24=\u001b\\'
  expect(extract([bad]).text).toBe(bad)
  const endless = `\u001b]7717;${'A'.repeat(300_000)}`
  const extractor = new AnnotationExtractor()
  expect(extractor.push(endless)).toEqual([{ type: 'data', text: endless }])
})
