import { expect, test } from 'vitest'
import type { RecordingEvent, RecordingManifest } from '../shared/recording.ts'
import { asciicast } from './asciicast.ts'
import { csv, printable, table } from './output.ts'

test('CSV tells NULL from empty text and quotes what it must', () => {
  expect(csv(['a', null, '', 'x,y', 'say "hi"', 'two\nlines'])).toBe('a,,"","x,y","say ""hi""","two\nlines"\n')
})

test('a table lines up by what a terminal shows', () => {
  expect(
    table(
      ['A', 'B'],
      [
        ['日本', '1'],
        ['é', '2'],
      ],
    ),
  ).toBe('A     B\n日本  1\né     2\n')
})

test('control characters of others cannot move the cursor', () => {
  expect(printable('a\u001b[2Jb\r\nc\u009b')).toBe('a\\x1b[2Jb\\x0d\nc\\x9b')
})

test('a recording as asciicast v3', () => {
  const manifest: RecordingManifest = {
    version: 1,
    session: 's',
    principal: { kind: 'user', id: 'ada', name: 'Ada', groups: [] },
    connection: { name: 'web-1', kind: 'ssh', environment: 'production', tags: [] },
    startedAt: '2026-01-02T03:04:05.000Z',
    cols: 100,
    rows: 30,
    chunks: [],
  }
  const events: RecordingEvent[] = [
    { type: 'output', at: 100, data: '$ ' },
    { type: 'request', at: 350, n: 1, action: 'ssh:exec', text: 'ls', outcome: 'allowed' },
    { type: 'resize', at: 400, cols: 120, rows: 40 },
    { type: 'complete', at: 500, n: 1, ok: true },
    { type: 'output', at: 1000, data: 'bye' },
  ]
  expect([...asciicast(manifest, events)].map((line) => JSON.parse(line))).toEqual([
    { version: 3, term: { cols: 100, rows: 30 }, timestamp: 1767323045, title: 'ada on web-1' },
    [0.1, 'o', '$ '],
    [0.25, 'm', 'allowed: ls'],
    [0.05, 'r', '120x40'],
    [0.6, 'o', 'bye'],
  ])
})
