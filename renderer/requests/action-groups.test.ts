import { expect, test } from 'vitest'
import { inGroups } from './action-groups.ts'

test('a class that is there whole stands for its kinds', () => {
  expect(inGroups(['sql:read', 'sql:select', 'sql:copy'])).toEqual({ names: ['read'], kinds: ['SELECT', 'COPY TO'] })
})

test('a kind whose class is decided otherwise is named itself, each once', () => {
  expect(inGroups(['sql:write', 'sql:insert', 'sql:copy-in', 'sql:drop', 'sql:drop'])).toEqual({
    names: ['write', 'DROP'],
    kinds: ['INSERT', 'COPY FROM'],
  })
})
