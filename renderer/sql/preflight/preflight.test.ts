import { expect, test, vi } from 'vitest'
import { createPreflight, type PreflightPorts } from './preflight.ts'
import type { Decided } from './verdict.ts'

const blocked: Decided = { kind: 'blocked', policy: { id: 'p', reason: 'r' }, masks: [], unknown: false }

/** A gateway whose answers come when the test says so. */
function setUp() {
  const asked: { text: string; signal: AbortSignal; answer(decided: Decided): void; fail(): void }[] = []
  let now = 0
  const timers = new Set<{ due: number; run(): void }>()
  const ports = {
    check: vi.fn(async (statements: readonly string[]) =>
      statements.map((s) => (s.startsWith('bad') ? { message: 'no', position: 0 } : null)),
    ),
    explain: (text: string, signal: AbortSignal) =>
      new Promise<Decided>((resolve, reject) => {
        asked.push({ text, signal, answer: resolve, fail: () => reject(new Error('down')) })
      }),
    onChange: vi.fn(),
    now: () => now,
    after: (ms, run) => {
      const at = { due: now + ms, run }
      timers.add(at)
      return () => timers.delete(at)
    },
  } satisfies PreflightPorts
  const pass = (ms: number) => {
    now += ms
    for (const timer of [...timers]) if (timer.due <= now && timers.delete(timer)) timer.run()
  }
  return { preflight: createPreflight(ports), asked, ports, pass }
}

const settled = () => new Promise((resolve) => setTimeout(resolve))

test('asks only about what parses, two at a time, the nearest first', async () => {
  const { preflight, asked } = setUp()
  preflight.want(['a', 'bad', 'b', 'c'])
  await settled()
  expect(preflight.verdict('bad')).toMatchObject({ kind: 'invalid' })
  expect(asked.map((q) => q.text)).toEqual(['a', 'b'])
  asked[0]?.answer({ kind: 'allowed' })
  await settled()
  expect(asked.map((q) => q.text)).toEqual(['a', 'b', 'c'])
  expect(preflight.verdict('a')).toEqual({ kind: 'allowed' })
})

test('what is no longer in the text is not waited for, and what is known is not asked again', async () => {
  const { preflight, asked } = setUp()
  preflight.want(['a'])
  await settled()
  preflight.want(['b'])
  await settled()
  expect(asked[0]?.signal.aborted).toBe(true)
  asked[1]?.answer({ kind: 'allowed' })
  await settled()
  preflight.want(['b'])
  await settled()
  expect(asked).toHaveLength(2)
})

test('an answer from before a change of policy is dropped, and asked for anew', async () => {
  const { preflight, asked } = setUp()
  preflight.want(['a'])
  await settled()
  preflight.forget()
  asked[0]?.answer({ kind: 'allowed' })
  await settled()
  expect(preflight.verdict('a')).toBeUndefined()
  expect(asked).toHaveLength(2)
  asked[1]?.answer(blocked)
  await settled()
  expect(preflight.verdict('a')).toEqual(blocked)
})

test('a gateway that does not answer is left in peace for a while', async () => {
  vi.spyOn(console, 'warn').mockImplementation(() => undefined)
  const { preflight, asked, pass } = setUp()
  preflight.want(['a'])
  await settled()
  asked[0]?.fail()
  await settled()
  preflight.want(['a', 'b'])
  await settled()
  expect(asked).toHaveLength(1)
  // Then it is asked again, by nobody's doing.
  pass(10_000)
  await settled()
  expect(asked).toHaveLength(3)
})

test('named parameters go as numbered ones', async () => {
  const { preflight, asked } = setUp()
  preflight.want(['select :id'])
  await settled()
  expect(asked[0]?.text).toBe('select $1 ')
})
