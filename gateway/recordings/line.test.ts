import fc from 'fast-check'
import { expect, test } from 'vitest'
import { RecordingEvent } from '../../shared/recording.ts'
import { LineMemory, lineOf } from './line.ts'

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
  const memory = new LineMemory()
  fc.assert(
    fc.property(event, (made) => {
      const parsed = RecordingEvent.parse(made)
      for (const line of [lineOf(parsed, memory), lineOf(parsed, memory)]) {
        expect(line).toBe(`${JSON.stringify(parsed)}\n`)
        expect(RecordingEvent.parse(JSON.parse(line))).toEqual(JSON.parse(JSON.stringify(parsed)))
      }
    }),
  )
})
