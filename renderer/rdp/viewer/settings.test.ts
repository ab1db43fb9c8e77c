import { expect, test } from 'vitest'
import { parseClientSettings } from '../../../agent/inspect/rdp/gcc.ts'
import { connectInitial } from '../../../agent/inspect/rdp/testing/peers.ts'
import { withSettings } from './settings.ts'

const settings = { keyboard: 0x407 }

test('the message that begins the conference tells this machine’s keyboard, full colours, and that it may be resized', () => {
  const before = connectInitial()
  const core = parseClientSettings(Buffer.from(withSettings(before, settings))).core
  const was = parseClientSettings(before).core
  expect(core.readUInt32LE(12)).toBe(0x407)
  expect([core.readUInt16LE(136), core.readUInt16LE(138) & 1]).toEqual([24, 1])
  // xrdp changes the size for nobody up to 419.
  expect(core.readUInt32LE(16)).toBeGreaterThan(419)
  const rest = Buffer.from(core)
  for (const [at, length] of [
    [12, 8],
    [136, 4],
  ] as const)
    was.copy(rest, at, at, at + length)
  expect(rest.equals(was)).toBe(true)
})

test('any other message is as it was, and so is one that ends too early', () => {
  const initial = connectInitial()
  for (const bytes of [Buffer.alloc(0), Buffer.from([3, 0, 0, 7, 2, 0xf0, 0x80]), initial.subarray(0, 150)]) {
    expect(withSettings(bytes, settings)).toBe(bytes)
  }
})
