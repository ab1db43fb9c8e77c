import { describe, expect, test } from 'vitest'
import type { Annotation } from '../../shared/annotation.ts'
import type { RunEvent } from '../../shared/rpc/contract.ts'
import { stoppedWords } from './marks.ts'
import { apply, begin, broke, dismiss, noRuns, pin, type SqlState, sessionEnded } from './run-state.ts'

const policy = { id: 'p', reason: 'Because.' }
const approval = { group: 'dba', count: 1, windowSeconds: 60, notify: [] }
const expiresAt = '2030-01-01T00:00:00Z'
const mask = { source: 'public.t.email', label: 'email', position: 0, dataClass: 'email', policy, requestable: true }
const held: Annotation = { kind: 'held', policy, requestId: 'r', approval, expiresAt }

const statement: RunEvent = { type: 'statement', statement: 0, start: 10, end: 30, text: 'DELETE FROM payments' }
const says = (annotation: Annotation): RunEvent => ({ type: 'annotation', statement: 0, at: expiresAt, annotation })
const complete = (ms: number): RunEvent => ({
  type: 'complete',
  statement: 0,
  tag: 'DELETE 1',
  rows: 1,
  ms,
  truncated: false,
})
const error = (sqlstate: string): RunEvent => ({ type: 'error', statement: 0, message: 'no', sqlstate, position: 14 })

/** Applies events one second apart, as the first run. */
function run(...events: RunEvent[]): SqlState {
  return [statement, ...events].reduce(
    (state, event, i) => apply(state, 0, event, i * 1000),
    begin(noRuns, new Set(), 0),
  )
}

const only = (state: SqlState) => {
  const [mark] = state.marks
  if (mark === undefined) throw new Error('no mark')
  return mark
}

describe('what the gateway says of a statement', () => {
  test('nothing: it was allowed', () => {
    expect(only(run(complete(3)))).toMatchObject({ look: 'allowed', rows: 1, ms: 3 })
  })

  test('masked stays masked when it completes', () => {
    const state = run(says({ kind: 'masked', columns: [mask] }), complete(3))
    expect(only(state)).toMatchObject({ look: 'masked', masked: [mask] })
  })

  test('blocked is not told a second time as an error of the database', () => {
    const blocked: Annotation = { kind: 'blocked', policy, message: 'no', hint: '', requestable: false }
    expect(only(run(says(blocked), error('SPB01')))).toMatchObject({ look: 'blocked' })
    expect(only(run(says(blocked), error('SPB01'))).error).toBeUndefined()
  })

  test('held, approved, done: approved, and it took what the core measured since then', () => {
    const state = run(says(held), says({ kind: 'approved', requestId: 'r', by: ['grace'] }), complete(1.5))
    expect(only(state)).toMatchObject({ look: 'approved', ms: 1.5, decision: { by: ['grace'] } })
    expect(state.messages.at(-1)?.text).toBe('DELETE 1 · 1.5 ms')
  })

  test('a statement that PostgreSQL stops by itself has failed; one that the person stops ran until then', () => {
    const running = run()
    expect(only(apply(running, 0, error('57014'), 9)).look).toBe('failed')
    const stopped = only(apply({ ...running, cancelling: true }, 0, error('57014'), 9))
    expect([stopped.look, stoppedWords(stopped)]).toEqual(['cancelled', 'Stopped while it ran'])
  })

  test('an error says its code, where it is in its statement, and what PostgreSQL adds; so does a warning', () => {
    const more = { detail: 'Key (id)=(1).', hint: 'Do that.' }
    const [failed] = run({ ...error('23505'), ...more, position: 8 }).messages
    expect(failed).toMatchObject({
      kind: 'error',
      mark: '0:0',
      sqlstate: '23505',
      position: 8 - (only(run()).start ?? 0),
      detail: 'Detail: Key (id)=(1).\nHint: Do that.',
    })
    const [warned] = run({ type: 'notice', statement: 0, severity: 'WARNING', message: 'careful', hint: 'x' }).messages
    expect(warned).toMatchObject({ kind: 'warning', text: 'WARNING: careful', detail: 'Hint: x' })
  })

  test('a pinned result stays when something else is run, and the new one is in front', () => {
    const columns = (result: string): RunEvent => ({ type: 'columns', statement: 0, result, columns: [] })
    const pinned = pin(run(columns('a'), complete(1)), '0:0:0', true)
    const next = begin(pinned, new Set(), 9)
    expect(next.results.map((r) => r.handle)).toEqual(['a'])
    const both = [statement, columns('b')].reduce((s, event) => apply(s, 1, event, 9), next)
    expect([both.results.map((r) => r.handle), both.shown]).toEqual([['a', 'b'], '1:0:0'])
    expect(begin(pin(both, '0:0:0', false), new Set(), 9).results).toEqual([])
  })

  test('what was left out because of an error is told', () => {
    const over = apply(run(error('42703')), 0, { type: 'done', ran: 1, left: 2 }, 9)
    expect(over).toMatchObject({ running: undefined })
    expect(over.messages.at(-1)?.text).toBe('2 statements after it not run')
    expect(apply(run(complete(1)), 0, { type: 'done', ran: 1 }, 9).messages).toHaveLength(1)
  })

  test('held, then cancelled by the person', () => {
    const waiting = run(says(held))
    expect(only(apply({ ...waiting, cancelling: true }, 0, error('57014'), 9)).look).toBe('cancelled')
  })

  test('held, then denied, with the reason', () => {
    const state = run(says(held), says({ kind: 'denied', requestId: 'r', by: 'grace', reason: 'Why?' }), error('SPD01'))
    expect(only(state)).toMatchObject({ look: 'denied', decision: { by: ['grace'], reason: 'Why?' } })
  })
})

test('an error of the database is placed within its statement', () => {
  expect(only(run(error('42601')))).toMatchObject({ look: 'failed', error: { message: 'no', position: 4 } })
})

test('columns that come again under the same handle replace the first', () => {
  const columns = (masked: boolean): RunEvent => ({
    type: 'columns',
    statement: 0,
    result: 'h',
    columns: [
      {
        name: 'email',
        type: 'text',
        ...(masked ? { masked: { dataClass: 'email', policyId: 'p', reason: '', requestable: true } } : {}),
      },
    ],
  })
  const { results } = run(columns(false), columns(true))
  expect(results).toHaveLength(1)
  expect(results[0]?.columns[0]?.masked?.policyId).toBe('p')
})

test('a session that ends by itself has no transaction and no recording any more; work that is gone is said in front', () => {
  const open = { ...run(complete(1)), transaction: 'open', since: 3, shown: '0:0:0' } as const
  const problem = { code: 'session-ended', message: 'grace ended this session.', action: 'reconnect' } as const
  const gone = { transaction: 'none', since: undefined, idleSince: undefined }
  const rolledBack = sessionEnded(open, { problem, rolledBack: true }, 9)
  expect(rolledBack).toMatchObject({ ...gone, shown: 'messages' })
  expect(rolledBack.messages.at(-1)?.text).toBe(
    'The session ended, and its transaction was rolled back: grace ended this session.',
  )
  expect(sessionEnded(open, { problem, rolledBack: false }, 9)).toMatchObject({ ...gone, shown: '0:0:0' })
})

test('a session that is lost under a statement is not recorded any more, and work that went with it is said in front of what came', () => {
  const open = { ...run(complete(1)), transaction: 'open', since: 3, shown: '0:0:0' } as const
  const gone = { transaction: 'none', since: undefined }
  const lost = (work: 'none' | 'rolled-back' | 'unknown') => apply(open, 0, { type: 'ended', work }, 9)
  expect(lost('none')).toMatchObject({ ...gone, shown: '0:0:0' })
  expect(lost('rolled-back')).toMatchObject({ ...gone, shown: 'messages' })
  expect(lost('rolled-back').messages.at(-1)?.text).toMatch(/its transaction was rolled back/)
  expect(lost('unknown').messages.at(-1)?.text).toMatch(/committed as a whole or not at all/)
  const forgotten = broke(open, { code: 'not-found', message: 'There is no such tab.', action: 'none' }, 9)
  expect(forgotten).toMatchObject(gone)
})

test('a run that breaks off leaves no statement running, and says that it may have run', () => {
  const state = broke(run(), { code: 'failed', message: 'The run broke off.', action: 'none' }, 5)
  expect(only(state).look).toBe('failed')
  expect(state).toMatchObject({ running: undefined, messages: [{ kind: 'error' }] })
})

test('a statement that runs again leaves its earlier mark in the log; so does one that is dismissed', () => {
  const first = run(complete(1))
  expect(begin(first, new Set(['0:0']), 9)).toMatchObject({ marks: [], past: [{ id: '0:0' }] })
  expect(dismiss(first, '0:0')).toMatchObject({ marks: [], past: [{ id: '0:0' }] })
})
