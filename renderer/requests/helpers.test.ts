import { expect, test } from 'vitest'
import type { Connection } from '../../shared/api/models.ts'
import { preselected } from './askable.ts'
import { durationsUpTo, usualDuration } from './durations.ts'
import { deciders } from './earlier.tsx'
import { reasonFits, reasonProblem } from './reason.ts'

test('lengths of access end at what policy allows', () => {
  expect(durationsUpTo(1800)).toEqual([900, 1800])
  expect(durationsUpTo(600)).toEqual([600])
  expect(durationsUpTo(86_400)).toEqual([900, 1800, 3600, 14_400, 86_400])
  expect(usualDuration(900)).toBe(900)
  expect(usualDuration(3600)).toBe(1800)
})

test('a reason without the ticket that policy wants is not sent', () => {
  expect(reasonProblem('  ', [])).toBe('Say why: reviewers decide by it.')
  expect(reasonProblem('clean up after the storm', ['\\bINC-\\d+\\b'])).toContain('INC-\\d+')
  expect(reasonProblem('INC-4821 clean up', ['\\bINC-\\d+\\b'])).toBeUndefined()
  expect(reasonFits('(?i)inc-\\d+', 'INC-1')).toBe(true)
})

test('a pattern that only the gateway can read is left to it', () => {
  expect(reasonFits('(?P<ticket>INC-\\d+)', 'no ticket')).toBeUndefined()
  expect(reasonProblem('no ticket', ['(?P<ticket>INC-\\d+)'])).toBeUndefined()
})

test('for a locked connection, what is ticked opens it, and lets it be used by the same approval', () => {
  const held = (action: string, group: string) => ({
    action,
    decision: {
      verdict: 'hold' as const,
      policy: { id: 'contractor-host', reason: 'With the approval of dba.' },
      approval: { group, count: 1, windowSeconds: 900, notify: [] },
    },
  })
  const web: Connection = {
    name: 'web-1',
    kind: 'ssh',
    environment: 'production',
    tags: [],
    description: '',
    access: 'locked',
    reachable: true,
    actions: [held('connect', 'dba'), held('ssh:exec', 'dba'), held('ssh:shell', 'dba')],
    dataClasses: [],
  }
  expect(preselected(web)).toEqual(['connect', 'ssh:shell'])
  expect(preselected({ ...web, actions: [held('connect', 'dba'), held('ssh:shell', 'leads')] })).toEqual(['connect'])
  expect(preselected({ ...web, actions: web.actions.slice(1) })).toEqual(['ssh:exec'])
  expect(preselected({ ...web, access: 'open' })).toEqual([])
})

test('who decided an earlier request is named as people know them; oneself, a rule and a gateway that names nobody are told apart', () => {
  expect(deciders({ by: ['grace', 'ada'], names: ['Grace Murray', 'Ada Byron'] }, 'ada')).toBe('Grace Murray, You')
  expect(deciders({ by: ['policy:night', 'joan'], names: ['policy:night', 'joan'] }, 'ada')).toBe('rule night, joan')
  expect(deciders({ by: ['grace'] }, undefined)).toBe('grace')
})
