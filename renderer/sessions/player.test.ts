import { expect, test } from 'vitest'
import type { RecordingEvent } from '../../shared/recording.ts'
import { createFeed } from './player.ts'

const masked = (at: number): RecordingEvent => ({ type: 'masked', at, classes: { email: 1 } })
const output = (at: number, data: string): RecordingEvent => ({ type: 'output', at, data })

function screen() {
  let shown = ''
  return {
    shown: () => shown,
    terminal: { resize: () => undefined },
    atLineStart: () => shown === '' || shown.endsWith('\n') || shown.endsWith(']'),
    write: async (text: string) => {
      shown += text
    },
    annotate: async ({ annotation }: { annotation: { kind: string } }) => {
      shown += `[${annotation.kind}]`
    },
  }
}

test('what was masked is said after the line that it is in, also when the line goes on in a later batch', async () => {
  const on = screen()
  const feed = createFeed(on)
  await feed([output(1, '$ cat a\r\na•••@•••.com\r\n'), masked(1), output(2, '$ ')])
  expect(on.shown()).toBe('$ cat a\r\na•••@•••.com\r\n[masked]$ ')
  await feed([output(3, 'tail\r\nb•••@•••'), masked(3)])
  expect(on.shown()).toMatch(/b•••@•••$/)
  await feed([output(4, '.com\r\nmore\r\n')])
  expect(on.shown()).toMatch(/b•••@•••\.com\r\n\[masked\]more\r\n$/)
})
