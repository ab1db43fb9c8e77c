import { describe, expect, test } from 'vitest'
import type { PolicyFile } from '../shared/link.ts'
import { checkPolicyFolder, describeProblem, testPolicyFolder } from './check.ts'
import { describeDecision, describeUnmask } from './explain.ts'

const cedar = `
@id("read") permit(principal in Group::"engineers", action in Action::"sql:read", resource);
@id("write") @reason("Ask first.") @approve("dba") permit(principal, action == Action::"sql:update", resource);
@id("mine") @approve("dba") permit(principal, action == Action::"unmask", resource);
@id("late") forbid(principal, action, resource) when { context.now > datetime("2030-01-01") };`
const set: PolicyFile[] = [
  { path: 'a.cedar', text: cedar },
  { path: 'classification.yaml', text: 'classes:\n  email: { mask: partial, detectors: [email] }' },
]
const head = `people: { ada: [engineers], eve: [] }
machines: { bot: [engineers] }
connections:
  db: { kind: postgres, environment: production }
cases:
`

async function run(cases: string): Promise<string[]> {
  const report = await testPolicyFolder([...set, { path: 'x.test.yaml', text: head + cases }])
  expect(report.ok).toBe(report.problems.length === 0)
  return report.problems.map(describeProblem)
}

describe('policy test', () => {
  test.each([
    ['allow', '  - { as: [ada, bot], on: db, do: "sql:select", expect: allow, policy: read }'],
    ['hold', '  - { as: eve, on: db, do: "sql:update", expect: hold, policy: write, approve: dba }'],
    ['granted', '  - { as: eve, on: db, do: "sql:update", granted: ["sql:write"], expect: allow }'],
    ['block', '  - { as: eve, on: db, do: "sql:select", expect: block, policy: default-deny }'],
    ['masked', '  - { as: eve, on: db, unmask: email, expect: masked, policy: mine, approve: dba }'],
    ['clear', '  - { as: eve, on: db, unmask: [email], granted: [unmask], expect: clear }'],
    [
      'with a time',
      '  - { as: ada, on: db, do: "sql:select", with: { now: 2031-01-01T00:00:00Z }, expect: block, policy: late }',
    ],
  ])('passes: %s', async (_, cases) => {
    expect(await run(cases)).toEqual([])
  })

  test.each([
    [
      'another verdict',
      '  - { as: eve, on: db, do: "sql:select", expect: allow }',
      /^x\.test\.yaml:6: eve, sql:select on db: expected allow\. Blocked by default-deny/,
    ],
    [
      'another policy',
      '  - { as: ada, on: db, do: "sql:select", expect: allow, policy: write }',
      /expected write\. Allowed by read/,
    ],
    [
      'another group',
      '  - { as: ada, on: db, do: "sql:update", expect: hold, approve: ops }',
      /expected an approval by ops\. Held by write: 1 approval from dba, within 30 min/,
    ],
    ['one of several', '  - { as: [ada, eve], on: db, do: "sql:select", expect: allow }', /eve/],
    ['someone unknown', '  - { as: zoe, on: db, do: "sql:select", expect: allow }', /"zoe" is neither/],
    ['an unknown connection', '  - { as: ada, on: bd, do: "sql:select", expect: allow }', /"bd" is not in connections/],
    ['an unknown action', '  - { as: ada, on: db, do: "sql:slect", expect: block }', /no action sql:slect/],
    ['an unknown class', '  - { as: ada, on: db, unmask: emial, expect: masked }', /no data class emial/],
    ['neither do nor unmask', '  - { as: ada, on: db, expect: allow }', /^x\.test\.yaml:6: .*either "do" or "unmask"/],
    [
      'an unknown key',
      '  - { as: ada, on: db, do: connect, exect: allow, expect: allow }',
      /^x\.test\.yaml:6: .*exect/,
    ],
    ['no cases', '  []', /^x\.test\.yaml:\d: /],
  ])('fails: %s', async (_, cases, expected) => {
    expect((await run(cases))[0]).toMatch(expected)
  })

  test('a folder without tests, or that does not load, is not ok', async () => {
    expect((await testPolicyFolder(set)).ok).toBe(false)
    expect((await testPolicyFolder(set.slice(0, 1))).problems[0]?.file).toBe('classification.yaml')
  })
})

test('policy check counts what there is', async () => {
  expect(await checkPolicyFolder(set)).toMatchObject({ ok: true, policies: 4, dataClasses: 1 })
  expect((await checkPolicyFolder([])).ok).toBe(false)
})

test('decisions are told in words', () => {
  const policy = { id: 'p', reason: 'Why.' }
  const approval = { group: 'dba', count: 2, windowSeconds: 7200, notify: [] }
  expect(describeDecision({ verdict: 'allow', policies: [policy] })).toBe('Allowed by p.')
  expect(describeDecision({ verdict: 'allow', policies: [policy], grantId: 'g' })).toBe('Allowed by grant g, under p.')
  expect(describeDecision({ verdict: 'block', policy })).toBe('Blocked by p. Why.')
  expect(describeDecision({ verdict: 'hold', policy, approval })).toBe(
    'Held by p: 2 approvals from dba, within 2 h. Why.',
  )
  expect(describeUnmask({ verdict: 'clear' })).toBe('Clear.')
  expect(describeUnmask({ verdict: 'masked', policy, approval: { ...approval, count: 1, windowSeconds: 90 } })).toBe(
    'Masked by p. Why. To see it: 1 approval from dba, within 90 s.',
  )
})
