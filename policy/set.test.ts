import { describe, expect, test } from 'vitest'
import { actionParents, actions } from '../shared/actions.ts'
import type { ConnectionRef } from '../shared/connection.ts'
import type { Grant } from '../shared/decision.ts'
import type { PolicyFile } from '../shared/link.ts'
import type { Principal } from '../shared/principal.ts'
import { loadPolicySet, type PolicyInput, type PolicySet } from './set.ts'

const classification = `classes:
  email: { mask: partial, columns: ['*.customers.email'] }
  ssn: { mask: redact, columns: ['orders-db:public.customers.ssn'], use: lookup, derived: 'null' }
`
const ada: Principal = { kind: 'user', id: 'ada', name: 'Ada', groups: ['engineers'] }
const orders: ConnectionRef = { name: 'orders-db', kind: 'postgres', environment: 'production', tags: ['pci'] }
const now = Date.parse('2026-01-14T10:00:00Z')
const context = { sourceIp: '10.0.0.1', mfa: true, now }

function files(cedar: string, yaml = classification): PolicyFile[] {
  return [
    { path: 'a.cedar', text: cedar },
    { path: 'classification.yaml', text: yaml },
  ]
}

async function load(cedar: string): Promise<PolicySet> {
  const result = await loadPolicySet(files(cedar))
  if (!result.ok) throw new Error(JSON.stringify(result.problems))
  return result.set
}

async function problems(cedar: string, yaml?: string): Promise<string[]> {
  const result = await loadPolicySet(files(cedar, yaml))
  return result.ok ? [] : result.problems.map(({ file, line, reason }) => `${file}:${line}: ${reason}`)
}

function grant(actions: string[], more: Partial<Grant> = {}): Grant {
  return {
    id: 'g1',
    principalId: 'ada',
    connection: 'orders-db',
    actions,
    dataClasses: [],
    startsAt: new Date(now - 1000).toISOString(),
    endsAt: new Date(now + 1000).toISOString(),
    requestId: 'r1',
    approvedBy: ['grace'],
    ...more,
  }
}

const input = (action: PolicyInput['action'], grants: Grant[] = []): PolicyInput => ({
  principal: ada,
  connection: orders,
  action,
  context,
  grants,
})

const permit = '@id("open") @reason("all read") permit(principal, action in Action::"sql:read", resource);'
const hold = `@id("ask") @reason("ask dba") @approve("dba") @reviewers("2") @window("45m") @notify("#ops, dba@x")
permit(principal, action in Action::"sql:write", resource);`

describe('what the policies mean', () => {
  test('no permit blocks, and says that no policy permits it', async () => {
    const set = await load(permit)
    expect(set.decide(input('sql:update'))).toEqual({
      verdict: 'block',
      policy: { id: 'default-deny', reason: 'No policy permits sql:update on orders-db for you.' },
    })
  })

  test('a permit on a parent covers every action below it, and no other', async () => {
    const set = await load(permit)
    for (const action of actions) {
      if (action === 'unmask') continue
      const reads = action === 'sql:read' || actionParents[action] === 'sql:read'
      expect([action, set.decide(input(action)).verdict]).toEqual([action, reads ? 'allow' : 'block'])
    }
  })

  test('permits that need approval hold', async () => {
    const set = await load(hold)
    expect(set.decide(input('sql:delete'))).toEqual({
      verdict: 'hold',
      policy: { id: 'ask', reason: 'ask dba' },
      approval: { group: 'dba', count: 2, windowSeconds: 2700, notify: ['#ops', 'dba@x'] },
    })
  })

  test('one permit without approval is enough', async () => {
    const set = await load(`${hold} @id("free") permit(principal, action == Action::"sql:delete", resource);`)
    expect(set.decide(input('sql:delete'))).toMatchObject({ verdict: 'allow', policies: [{ id: 'free' }] })
    expect(set.decide(input('sql:insert')).verdict).toBe('hold')
  })

  test('of several approvals the strictest counts', async () => {
    const set = await load(`
      @id("a-one") @approve("x") permit(principal, action == Action::"sql:call", resource);
      @id("b-three") @approve("y") @reviewers("3") @window("8h") permit(principal, action == Action::"sql:call", resource);
      @id("c-three") @approve("z") @reviewers("3") @window("90s") permit(principal, action == Action::"sql:call", resource);`)
    expect(set.decide(input('sql:call'))).toMatchObject({ policy: { id: 'c-three' }, approval: { windowSeconds: 90 } })
  })

  test('any forbid blocks, by name, whatever is permitted or granted', async () => {
    const set = await load(
      `${permit} ${hold} @id("no") @reason("never") forbid(principal, action, resource) when { !context.hasWhere };`,
    )
    const unbounded = { ...input('sql:delete', [grant(['sql:write', 'sql:delete'])]), request: { hasWhere: false } }
    expect(set.decide(unbounded)).toEqual({ verdict: 'block', policy: { id: 'no', reason: 'never' } })
  })

  test('a policy that fails to evaluate blocks, even beside one that permits', async () => {
    const set = await load(`${permit}
      @id("overflow") permit(principal, action in Action::"sql:read", resource)
      when { context.statementCount * 9223372036854775807 > 0 };`)
    const decision = set.decide({ ...input('sql:select'), request: { statementCount: 2 } })
    expect(decision).toMatchObject({ verdict: 'block', policy: { id: 'policy-error' } })
  })

  test('a request that Cedar cannot read blocks', async () => {
    const set = await load(permit)
    const odd = { ...input('sql:select'), context: { ...context, sourceIp: 'nowhere' } }
    expect(set.decide(odd)).toMatchObject({ verdict: 'block', policy: { id: 'policy-error' } })
  })

  test('reads addresses as Node gives them', async () => {
    const set = await load(
      `@id("net") permit(principal, action, resource) when { context.sourceIp.isInRange(ip("10.0.0.0/8")) || context.sourceIp.isLoopback() };`,
    )
    const from = (sourceIp: string) => set.decide({ ...input('connect'), context: { ...context, sourceIp } }).verdict
    expect(['10.1.2.3', '::ffff:10.1.2.3', '::1', 'fe80::1%eth0', '192.0.2.1'].map(from)).toEqual([
      'allow',
      'allow',
      'allow',
      'block',
      'block',
    ])
  })
})

describe('grants', () => {
  test.each([
    ['the action', grant(['sql:delete']), 'allow'],
    ['a parent of it', grant(['sql:write']), 'allow'],
    ['another action', grant(['sql:insert']), 'hold'],
    ['a child for its parent', grant(['sql:ddl']), 'hold'],
    ['another person', grant(['sql:write'], { principalId: 'linus' }), 'hold'],
    ['another connection', grant(['sql:write'], { connection: 'analytics-db' }), 'hold'],
    ['a time to come', grant(['sql:write'], { startsAt: new Date(now + 1).toISOString() }), 'hold'],
    ['the first moment', grant(['sql:write'], { startsAt: new Date(now).toISOString() }), 'allow'],
    ['the moment it ends', grant(['sql:write'], { endsAt: new Date(now).toISOString() }), 'hold'],
  ])('for %s', async (_, given, verdict) => {
    const set = await load(hold)
    const decision = set.decide(input('sql:delete', [given]))
    expect(decision.verdict).toBe(verdict)
    if (decision.verdict === 'allow') expect(decision).toMatchObject({ grantId: 'g1', policies: [{ id: 'ask' }] })
  })

  test('never lift a block', async () => {
    const set = await load(permit)
    expect(set.decide(input('sql:delete', [grant(['sql:write'])])).verdict).toBe('block')
  })
})

describe('data classes', () => {
  const pii =
    '@id("pii") @reason("masked") @approve("dba") permit(principal, action == Action::"unmask", resource == DataClass::"email");'

  test('are masked without a permit, maskable with one, and clear by a grant for them', async () => {
    const set = await load(pii)
    const unmask = (dataClass: string, grants: Grant[] = []) => set.unmask(ada, orders, dataClass, context, grants)
    expect(unmask('ssn')).toMatchObject({ verdict: 'masked', policy: { id: 'default-deny' } })
    expect(unmask('ssn')).not.toHaveProperty('approval')
    expect(unmask('ssn', [grant(['unmask'])]).verdict).toBe('masked')
    expect(unmask('email')).toMatchObject({ verdict: 'masked', policy: { id: 'pii' }, approval: { group: 'dba' } })
    expect(unmask('email', [grant(['unmask'])])).toEqual({ verdict: 'clear', grantId: 'g1' })
    expect(unmask('email', [grant(['unmask'], { dataClasses: ['email'] })]).verdict).toBe('clear')
    expect(unmask('email', [grant(['unmask'], { dataClasses: ['ssn'] })]).verdict).toBe('masked')
    expect(unmask('email', [grant(['sql:write'])]).verdict).toBe('masked')
  })

  test('a policy sees the connection and its environment', async () => {
    const set = await load(`@id("staging") permit(principal, action == Action::"unmask", resource)
      when { context.environment == Environment::"staging" && context.connection.kind == "postgres" && context.connection in Tag::"pci" };`)
    expect(set.unmask(ada, orders, 'email', context, []).verdict).toBe('masked')
    expect(set.unmask(ada, { ...orders, environment: 'staging' }, 'email', context, []).verdict).toBe('clear')
    const ssh: ConnectionRef = { ...orders, environment: 'staging', kind: 'ssh' }
    expect(set.unmask(ada, ssh, 'email', context, []).verdict).toBe('masked')
  })

  test('cover columns by glob, whatever the case of the names', async () => {
    const set = await load(permit)
    expect(set.classify('any', 'sales', 'Customers', 'EMAIL')).toMatchObject({
      dataClass: 'email',
      use: 'none',
      derived: 'block',
    })
    expect(set.classify('orders-db', 'public', 'customers', 'ssn')).toMatchObject({ use: 'lookup', derived: 'null' })
    expect(set.classify('analytics-db', 'public', 'customers', 'ssn')).toBeUndefined()
    expect(set.classify('orders-db', 'public', 'customers', 'name')).toBeUndefined()
  })
})

test('time matters only where a policy reads it', async () => {
  const set = await load(`${permit} @id("hours") forbid(principal, action == Action::"connect", resource)
    when { context.now.toTime() > duration("18h") };`)
  expect([set.dependsOnTime('connect'), set.dependsOnTime('sql:select'), set.readsTime]).toEqual([true, false, true])
  expect((await load(permit)).readsTime).toBe(false)
})

test('the version follows the files that count, not their order or the notes beside them', async () => {
  const version = async (list: PolicyFile[]) => {
    const result = await loadPolicySet(list)
    return result.ok ? result.set.version : ''
  }
  const one = await version(files(permit))
  expect(one).toMatch(/^[0-9a-f]{64}$/)
  expect(await version([...files(permit).reverse(), { path: 'README.md', text: 'x' }])).toBe(one)
  expect(await version(files(`${permit}\n`))).not.toBe(one)
})

describe('what does not load, and where it points', () => {
  test.each([
    [
      'a syntax error',
      `${permit}\n\n// é\n@id("x")\npermit(principal, action, resource)\nwhn { true };`,
      /^a\.cedar:6: .*whn/,
    ],
    ['a cut-off policy', `${permit}\n@id("x")\npermit(principal`, /^a\.cedar:3: /],
    [
      'an unknown action',
      `\n@id("x")\npermit(principal, action == Action::"sql:slect", resource);`,
      /^a\.cedar:3: .*sql:slect.*sql:select/,
    ],
    [
      'an unknown context attribute',
      `@id("x")\npermit(principal, action, resource)\nwhen {\n  context.wher\n};`,
      /^a\.cedar:4: .*wher/,
    ],
    [
      'an unknown environment',
      `@id("x") permit(principal, action, resource in Environment::"prod");`,
      /^a\.cedar:1: .*prod/,
    ],
    [
      'a policy that never applies',
      `@id("x") permit(principal, action, resource) when { false };`,
      /^a\.cedar:1: .*impossible/,
    ],
    ['a template', `@id("x") permit(principal == ?principal, action, resource);`, /^a\.cedar:1: .*template/],
    ['no @id', `${permit}\n// why\npermit(principal, action, resource);`, /^a\.cedar:3: policy without @id/],
    [
      'an @id twice',
      `${permit}\n\n@id("open")\nforbid(principal, action, resource);`,
      /^a\.cedar:3: .*already.*a\.cedar:1/,
    ],
    [
      'an unknown annotation',
      `@id("x")\n@aprove("dba")\npermit(principal, action, resource);`,
      /^a\.cedar:2: unknown annotation @aprove/,
    ],
    [
      '@reviewers without a number',
      `@id("x")\n@approve("dba")\n@reviewers("two")\npermit(principal, action, resource);`,
      /^a\.cedar:3: @reviewers\("two"\)/,
    ],
    [
      'no reviewers',
      `@id("x") @approve("dba") @reviewers("0") permit(principal, action, resource);`,
      /@reviewers\("0"\)/,
    ],
    [
      'a bad @window',
      `@id("x")\n@approve("dba")\n@window("soon")\npermit(principal, action, resource);`,
      /^a\.cedar:3: @window\("soon"\)/,
    ],
    [
      'a @window beyond a day',
      `@id("x") @approve("dba") @window("25h") permit(principal, action, resource);`,
      /@window\("25h"\)/,
    ],
    ['@approve without a group', `@id("x") @approve permit(principal, action, resource);`, /@approve needs a value/],
    ['@approve on a forbid', `@id("x") @approve("dba") forbid(principal, action, resource);`, /@approve on a forbid/],
    [
      '@window without @approve',
      `@id("x") @window("5m") permit(principal, action, resource);`,
      /@window means nothing without @approve/,
    ],
    [
      'an undefined data class',
      `@id("x")\npermit(principal, action == Action::"unmask",\n  resource == DataClass::"emial");`,
      /^a\.cedar:3: DataClass::"emial" is not defined/,
    ],
    [
      'an undefined data class in a condition',
      `@id("x")\npermit(principal, action == Action::"unmask", resource)\nwhen { [DataClass::"email", DataClass::"iban"].contains(resource) };`,
      /^a\.cedar:3: DataClass::"iban"/,
    ],
  ])('%s', async (_, cedar, expected) => {
    const found = await problems(cedar)
    expect(found.length).toBeGreaterThan(0)
    expect(found[0]).toMatch(expected)
  })

  test('every problem is told at once', async () => {
    const found = await problems(
      `permit(principal, action, resource);\n@id("x") permit(principal, action, resorce);`,
      'classes:\n  a: { mask: blur }\n',
    )
    expect(found.map((each) => each.split(':').slice(0, 2).join(':')).sort()).toEqual([
      'a.cedar:1',
      'a.cedar:2',
      'classification.yaml:2',
    ])
  })

  test('semicolons in strings and comments end no policy', async () => {
    const set = await load(
      `// a; b "c;\n@id("x") @reason("one; two \\"; three") permit(principal, action, resource); // ;`,
    )
    expect(set.policies.map((policy) => policy.meta.ref.reason)).toEqual(['one; two "; three'])
  })

  test('no cedar file, no classification, a stray YAML file, a schema of another version', async () => {
    const reasons = async (list: PolicyFile[]) => {
      const result = await loadPolicySet(list)
      return result.ok ? [] : result.problems.map((problem) => `${problem.file}: ${problem.reason}`)
    }
    const both = files(permit)
    expect(await reasons(both.slice(0, 1))).toEqual([
      expect.stringMatching(/^classification.yaml: the file is missing/),
    ])
    expect(await reasons(both.slice(1))).toEqual([expect.stringMatching(/no \*\.cedar file/)])
    expect(await reasons([...both, { path: 'clasification.yaml', text: '' }])).toEqual([
      expect.stringMatching(/^clasification.yaml: only classification.yaml/),
    ])
    expect(await reasons([...both, { path: 'sallyport.cedarschema', text: 'entity User;' }])).toEqual([
      expect.stringMatching(/not the schema of this version/),
    ])
  })
})
