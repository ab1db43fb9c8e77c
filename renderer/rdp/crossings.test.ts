import { expect, test } from 'vitest'
import type { Connection } from '../../shared/api/models.ts'
import type { DesktopState } from '../../shared/rpc/desktop.ts'
import { crossingsOf } from './crossings.ts'

const policy = { id: 'rdp-no-copy-out', reason: 'What is there stays there.' }
const actions: Connection['actions'] = [
  { action: 'rdp:connect', decision: { verdict: 'allow', policies: [] } },
  { action: 'rdp:clipboard', direction: 'in', decision: { verdict: 'allow', policies: [] } },
  { action: 'rdp:clipboard', direction: 'out', decision: { verdict: 'block', policy } },
  { action: 'rdp:drive', decision: { verdict: 'block', policy } },
]

function refused(id: number, command: string): DesktopState['said'][number] {
  const at = '2026-03-01T10:00:00.000Z'
  return {
    id,
    at,
    annotation: { kind: 'blocked', policy, message: 'It stayed.', hint: '', command, requestable: true },
  }
}

test('each way that the gateway lists is a row, the two of the clipboard apart', () => {
  const rows = crossingsOf(actions, [])
  expect(rows.map((row) => [row.key, row.decision.verdict])).toEqual([
    ['rdp:clipboard in', 'allow'],
    ['rdp:clipboard out', 'block'],
    ['rdp:drive', 'block'],
  ])
  expect(rows[1]?.can).toBe('Nothing leaves the desktop')
})

test('what was refused is told at its own row', () => {
  const rows = crossingsOf(actions, [
    refused(1, 'rdp:clipboard out'),
    refused(2, 'rdp:drive'),
    refused(3, 'rdp:connect'),
  ])
  expect(rows.map((row) => row.refused.map((r) => r.id))).toEqual([[], [1], [2]])
})
