import { readFileSync } from 'node:fs'
import type { RunEvent } from '../../../shared/rpc/contract.ts'
import type { ExplainMode } from '../../../shared/rpc/editor.ts'
import { splitStatements } from '../../../shared/sql/split.ts'
import * as data from './fixtures.ts'
import type { Fixture } from './state.ts'

const columns = [
  { name: 'id', type: 'int4' },
  { name: 'name', type: 'text' },
  { name: 'email', type: 'text', masked: masked('email') },
  { name: 'card_number', type: 'text', masked: masked('card') },
  { name: 'order_id', type: 'int4' },
  { name: 'status', type: 'text' },
  { name: 'total_cents', type: 'numeric' },
]

function masked(dataClass: string) {
  return { dataClass, policyId: data.policies.pii.id, reason: data.policies.pii.reason, requestable: true }
}

/** Answers statements by their first word, as the gateway might: SELECT masked, UPDATE blocked, DELETE held. */
export async function* runScript(
  run: { text: string; start: number; end: number; explain?: ExplainMode | undefined },
  fixture: Fixture,
  signal?: AbortSignal,
): AsyncGenerator<RunEvent, void, void> {
  let ran = 0
  for (const [statement, range] of splitStatements(run.text.slice(run.start, run.end)).entries()) {
    const start = range.start + run.start
    const end = range.end + run.start
    const text = run.text.slice(start, end)
    const { explain } = run
    yield { type: 'statement', statement, start, end, text, ...(explain === undefined ? {} : { explain }) }
    ran += 1
    const events = explain === undefined ? answer(statement, text, fixture, signal) : planned(statement, explain)
    let failed = false
    for await (const event of events) {
      if (event.type === 'error') failed = true
      yield event
    }
    if (failed && !text.startsWith('UPDATE')) break
  }
  yield { type: 'done', ran }
}

async function* answer(
  statement: number,
  text: string,
  fixture: Fixture,
  signal?: AbortSignal,
): AsyncGenerator<RunEvent, void, void> {
  const at = data.at(0)
  if (/^select.*customers/is.test(text)) {
    yield { type: 'annotation', statement, at, annotation: { kind: 'masked', columns: data.masks } }
    yield { type: 'columns', statement, result: `r-${statement}-${Date.now()}`, columns }
    yield { type: 'complete', statement, tag: 'SELECT 50000', rows: 50_000, ms: 12, truncated: false }
  } else if (/^update/i.test(text)) {
    const { unbounded: policy } = data.policies
    const message = 'This UPDATE has no WHERE clause, so it would change every row in payments.'
    const hint = 'Narrow it, then run again.'
    yield {
      type: 'annotation',
      statement,
      at,
      annotation: { kind: 'blocked', policy, message, hint, requestable: true },
    }
    yield { type: 'error', statement, message, sqlstate: 'SPB01', hint }
  } else if (/^delete/i.test(text)) {
    yield* held(statement, fixture, signal)
  } else if (/^selec /i.test(text)) {
    yield { type: 'error', statement, message: 'syntax error at or near "SELEC"', sqlstate: '42601', position: 0 }
  } else {
    yield { type: 'columns', statement, result: `r-${statement}-${Date.now()}`, columns: columns.slice(4) }
    yield { type: 'complete', statement, tag: 'SELECT 1', rows: 50_000, ms: 3, truncated: false }
  }
}

async function* planned(statement: number, explain: ExplainMode): AsyncGenerator<RunEvent, void, void> {
  const result = `${explain}-${statement}-${Date.now()}`
  yield { type: 'columns', statement, result, columns: [{ name: 'QUERY PLAN', type: 'json' }] }
  yield { type: 'complete', statement, tag: 'EXPLAIN', rows: 1, ms: 17, truncated: false }
}

const measured = readFileSync(new URL('./plan.json', import.meta.url), 'utf8')

/** The one row of a plan: as PostgreSQL gave it for a measured statement; without what was measured where it was only planned. */
export function planRows(explain: ExplainMode) {
  const parts = /^(?:Actual|Shared|Rows Removed|Execution Time|Peak|HashAgg|Hash B|Sort [MS]|Workers L)/
  const planOnly = (name: string, value: unknown) => (parts.test(name) ? undefined : value)
  const json = explain === 'measure' ? measured : JSON.stringify(JSON.parse(measured, planOnly))
  return { rows: [[json]], total: 1, complete: true, long: [] }
}

/** Waits for the decision on `req-3`, or for a cancel. */
async function* held(statement: number, fixture: Fixture, signal?: AbortSignal): AsyncGenerator<RunEvent, void, void> {
  const requestId = 'req-3'
  const expiresAt = data.at(27 * 60_000)
  const { write: policy } = data.policies
  yield {
    type: 'annotation',
    statement,
    at: data.at(0),
    annotation: { kind: 'held', policy, requestId, approval: data.approval, expiresAt },
  }
  const before = fixture.runs.get().cancelled
  for (;;) {
    const state = fixture.requests.get().find((r) => r.id === requestId)
    if (signal?.aborted) return
    if (fixture.runs.get().cancelled > before || state?.state === 'cancelled') {
      yield { type: 'error', statement, message: 'canceling statement due to user request', sqlstate: '57014' }
      return
    }
    if (state?.state === 'denied') {
      yield {
        type: 'annotation',
        statement,
        at: data.at(0),
        annotation: { kind: 'denied', requestId, by: 'grace', reason: state.reviews.at(-1)?.reason ?? '' },
      }
      yield { type: 'error', statement, message: 'Denied by grace.', sqlstate: 'SPD01' }
      return
    }
    if (state?.state === 'approved') {
      yield {
        type: 'annotation',
        statement,
        at: data.at(0),
        annotation: { kind: 'approved', requestId, by: ['grace'] },
      }
      yield { type: 'complete', statement, tag: 'DELETE 318', rows: 318, ms: 41, truncated: false }
      return
    }
    await Promise.race([fixture.requests.changed(), fixture.runs.changed()])
  }
}
