import fc from 'fast-check'
import { expect, test } from 'vitest'
import { RecordingEvent } from '../../shared/recording.ts'
import { Lines } from './line.ts'

const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined })
const text = fc.string({ unit: 'binary' })
const count = fc.nat()
const milliseconds = fc.nat(10 ** 9).map((us) => us / 1000)
const policy = fc.record({ id: text, reason: text })
const mask = fc.record({
  source: text,
  label: text,
  position: count,
  dataClass: text,
  policy,
  requestable: fc.boolean(),
})

const event: fc.Arbitrary<object> = fc.oneof(
  fc.record({
    type: fc.constant('request'),
    at: milliseconds,
    n: count,
    action: text,
    text,
    outcome: fc.constantFrom('allowed', 'masked', 'granted', 'blocked', 'held'),
    policy: maybe(policy),
    masks: maybe(fc.array(mask)),
    tables: maybe(fc.array(text)),
    grantId: maybe(text),
    requestId: maybe(text),
  }),
  fc.record({
    type: fc.constant('complete'),
    at: milliseconds,
    n: count,
    ok: fc.boolean(),
    rows: maybe(count),
    bytes: maybe(count),
    exitCode: maybe(count),
    error: maybe(text),
    dbMs: maybe(milliseconds),
    gatewayMs: maybe(milliseconds),
  }),
  fc.record({ type: fc.constant('output'), at: milliseconds, data: text }),
)

test('a line is what JSON.stringify says of the event, and reads back as it', () => {
  const lines = new Lines()
  fc.assert(
    fc.property(event, (made) => {
      const parsed = RecordingEvent.parse(made)
      const line = `${JSON.stringify(parsed)}\n`
      lines.add(parsed)
      lines.add(parsed)
      expect(Buffer.from(lines.bytes.subarray(0, lines.length)).toString()).toBe(line + line)
      expect(RecordingEvent.parse(JSON.parse(line))).toEqual(JSON.parse(JSON.stringify(parsed)))
      lines.length = 0
    }),
  )
})

test.each([
  0,
  0.001,
  0.01,
  0.1,
  1,
  9,
  9.999,
  10,
  99.95,
  100,
  1_000.001,
  2_147_483_647,
  2_147_483_647.001,
  2 ** 40,
  1e15 + 0.5,
])('%d milliseconds', (at) => {
  const lines = new Lines()
  lines.add({ type: 'complete', at, n: 1, ok: true })
  const line = Buffer.from(lines.bytes.subarray(0, lines.length)).toString()
  expect(JSON.parse(line)).toEqual({ type: 'complete', at: Math.round(at * 1000) / 1000, n: 1, ok: true })
})

test('texts of every length, at every place in the memory that grows', () => {
  const lines = new Lines()
  let whole = ''
  for (let length = 0; length < 400; length += 7) {
    const text = `${'a"\\\n'.repeat(length)}${length % 3 === 0 ? 'é\u2028\ud800' : ''}`
    const said: RecordingEvent = {
      type: 'request',
      at: length,
      n: length,
      action: 'sql:read',
      text,
      outcome: 'allowed',
    }
    lines.add(said)
    whole += `${JSON.stringify(said)}\n`
  }
  expect(Buffer.from(lines.bytes.subarray(0, lines.length)).toString()).toBe(whole)
})
