import { createHmac } from 'node:crypto'
import { beforeEach, describe, expect, test } from 'vitest'
import type { ConnectionRef } from '../shared/connection.ts'
import type { Grant } from '../shared/decision.ts'
import type { PolicyFile } from '../shared/link.ts'
import { SessionPolicy } from './decide.ts'
import { Policies } from './policies.ts'

const hash = (value: string): string => createHmac('sha256', 'key').update(value).digest('hex')
const base = Date.parse('2026-01-14T10:00:00.000Z')
const orders: ConnectionRef = { name: 'orders-db', kind: 'postgres', environment: 'production', tags: [] }

const cedar = `
@id("read") permit(principal, action in [Action::"connect", Action::"sql:read"], resource);
@id("write") @approve("dba") permit(principal, action in Action::"sql:write", resource);
@id("pii") @approve("dba") permit(principal, action == Action::"unmask", resource == DataClass::"email");`
const hours = `@id("hours") @reason("Closed at night.") forbid(principal, action == Action::"connect", resource)
  when { context.now.toTime() > duration("10h0m5s") };`
const classification = `classes:
  email: { mask: partial, columns: ['*.customers.email'], detectors: [email], use: lookup, derived: 'null' }
  secret: { mask: 'null', detectors: [password] }
  ssn: { mask: hash, columns: ['*.customers.ssn'] }
scan: ['*.notes.text']`

const files = (text = cedar): PolicyFile[] => [
  { path: 'a.cedar', text },
  { path: 'classification.yaml', text: classification },
]

function grant(actions: string[], from: number, to: number, id = 'g1'): Grant {
  const at = (offset: number) => new Date(base + offset).toISOString()
  const rest = { dataClasses: [], requestId: 'r', approvedBy: ['grace'], connection: 'orders-db', principalId: 'ada' }
  return { id, actions, startsAt: at(from), endsAt: at(to), ...rest }
}

let now = base
let policies: Policies
const subject = (grants: readonly Grant[] = []) => ({
  principal: { kind: 'user' as const, id: 'ada', name: 'Ada', groups: [] },
  connection: orders,
  context: { sourceIp: '127.0.0.1', mfa: false },
  grants,
})
const session = (grants: readonly Grant[] = []) => new SessionPolicy(subject(grants), policies, hash, () => now)

beforeEach(async () => {
  now = base
  policies = new Policies()
  expect((await policies.push(files())).ok).toBe(true)
})

describe('without a policy', () => {
  test('every decision is block, and statements are redacted all the same', () => {
    const none = new SessionPolicy(subject([grant(['sql:write', 'connect'], 0, 1000)]), new Policies(), hash, () => now)
    for (const action of ['connect', 'sql:select', 'sql:update'] as const) {
      expect(none.decide({ action })).toMatchObject({ verdict: 'block', policy: { id: 'policy-not-loaded' } })
    }
    expect(none.unmask('email').verdict).toBe('masked')
    expect(none.redact("where email = 'ada@example.com'")).not.toContain('ada@')
  })

  test('a push that fails leaves the last good one in force', async () => {
    const before = policies.set?.version
    const load = await policies.push(files('permit(principal, action, resource);'))
    expect(load).toMatchObject({ ok: false, problems: [{ file: 'a.cedar', line: 1 }] })
    expect(policies.set?.version).toBe(before)
    expect(session().decide({ action: 'sql:select' }).verdict).toBe('allow')
  })

  test('of pushes that overlap the last one counts', async () => {
    const many = Array.from({ length: 5 }, (_, i) => policies.push(files(`${cedar}\n// ${i}`)))
    const loads = await Promise.all(many)
    const last = loads.at(-1)
    expect(last?.ok && last.version).toBe(policies.set?.version)
  })
})

describe('epoch', () => {
  test('stays while nothing changes', () => {
    const one = session([grant(['sql:write'], -1000, 60_000)])
    const epoch = one.epoch
    now += 30_000
    expect(one.epoch).toBe(epoch)
  })

  test('changes with the policy, and decisions with it', async () => {
    const one = session()
    const epoch = one.epoch
    expect(one.decide({ action: 'sql:select' }).verdict).toBe('allow')
    await policies.push(files(`${cedar} @id("no") forbid(principal, action == Action::"sql:select", resource);`))
    expect(one.epoch).not.toBe(epoch)
    expect(one.decide({ action: 'sql:select' })).toMatchObject({ verdict: 'block', policy: { id: 'no' } })
  })

  test('changes when a grant begins, ends or is taken away', () => {
    const one = session([grant(['sql:write'], 1_000, 2_000)])
    const seen = [one.epoch]
    const verdicts: string[] = []
    const look = () => {
      verdicts.push(one.decide({ action: 'sql:update' }).verdict)
      seen.push(one.epoch)
    }
    look()
    now = base + 1_000
    look()
    now = base + 1_999
    look()
    now = base + 2_000
    look()
    one.setGrants([grant(['sql:write'], 0, 9_000)])
    look()
    one.setGrants([])
    look()
    expect(verdicts).toEqual(['hold', 'allow', 'allow', 'hold', 'allow', 'hold'])
    expect(new Set(seen).size).toBe(5)
  })

  test('changes at most once a second where a policy reads the time', async () => {
    await policies.push(files(cedar + hours))
    const one = session()
    const epochs = new Set<number>()
    for (now = base; now < base + 10_000; now += 100) epochs.add(one.epoch)
    expect(epochs.size).toBe(10)
    now = base + 5_000
    expect(one.decide({ action: 'connect' }).verdict).toBe('allow')
    now = base + 6_000
    expect(one.decide({ action: 'connect' })).toMatchObject({ verdict: 'block', policy: { id: 'hours' } })
  })
})

describe('decisions', () => {
  test('are kept for the same request, and made anew for another', () => {
    const one = session()
    const first = one.decide({ action: 'sql:select', tables: ['public.a'], hasWhere: true })
    expect(one.decide({ action: 'sql:select', tables: ['public.a'], hasWhere: true })).toBe(first)
    expect(one.decide({ action: 'sql:select', tables: ['public.b'], hasWhere: true })).not.toBe(first)
  })

  test('name the grant that allowed', () => {
    const one = session([grant(['sql:write'], -1, 1_000)])
    expect(one.decide({ action: 'sql:delete' })).toMatchObject({ verdict: 'allow', grantId: 'g1' })
    expect(one.grant('g1')?.approvedBy).toEqual(['grace'])
    expect(one.grant('g2')).toBeUndefined()
  })

  test('that a grant gives while it begins are not those of sessions without it', () => {
    let moves = false
    const clock = () => {
      const read = now
      if (moves) now = base + 1
      return read
    }
    const beginning = new SessionPolicy(subject([grant(['unmask', 'sql:write'], 1, 1_000)]), policies, hash, clock)
    expect(beginning.decide({ action: 'sql:delete' }).verdict).toBe('hold')
    moves = true
    beginning.unmask('email')
    now = base
    beginning.decide({ action: 'sql:update' })
    now = base
    beginning.sensitivity('public', 'notes', 'text')
    moves = false
    now = base + 2_000
    const without = session()
    expect(without.unmask('email').verdict).toBe('masked')
    expect(without.decide({ action: 'sql:update' }).verdict).toBe('hold')
    const scanned = without.sensitivity('public', 'notes', 'text')?.scanned
    expect(scanned?.map(({ dataClass }) => dataClass)).toEqual(['email', 'secret'])
  })

  test('of a second are not kept beyond it', () => {
    const first = policies.answers('ada', 1, hash)
    expect(policies.answers('ada', 1, hash)).toBe(first)
    policies.answers('grace', 2, hash)
    expect(policies.answers('ada', 1, hash)).not.toBe(first)
  })

  test('unmask is not a request', () => {
    expect(session().decide({ action: 'unmask' }).verdict).toBe('block')
  })
})

describe('masks', () => {
  test('a sensitive column has its class, use and mask', () => {
    const email = session().sensitivity('public', 'customers', 'email')
    expect(email).toMatchObject({ dataClass: 'email', use: 'lookup', derived: 'null', unmask: { verdict: 'masked' } })
    expect(email?.mask('ada@example.com')).toBe('a•••@•••.com')
    expect(session().sensitivity('public', 'customers', 'ssn')?.mask('x')).toBe(hash('x').slice(0, 16))
    expect(session().sensitivity('public', 'customers', 'name')).toBeUndefined()
  })

  test('a grant shows it, for as long as it lasts', () => {
    const one = session([grant(['unmask'], -1, 1_000)])
    const verdict = () => one.sensitivity('public', 'customers', 'email')?.unmask.verdict
    expect(verdict()).toBe('clear')
    expect(one.textMasks().map((mask) => mask.dataClass)).toEqual(['secret'])
    now = base + 1_000
    expect(verdict()).toBe('masked')
    expect(one.textMasks().map((mask) => mask.dataClass)).toEqual(['email', 'secret'])
  })

  test('text is masked by value; what would be NULL is redacted', () => {
    const [email, secret] = session().textMasks()
    expect(email?.find('to ada@example.com')).toEqual([{ start: 3, end: 18 }])
    expect(email?.mask('ada@example.com')).toBe('a•••@•••.com')
    expect(email?.shapes).toHaveLength(1)
    expect(secret?.mask('hunter2')).toBe('••••••••')
  })

  test('what is recorded is redacted for everybody, granted or not', () => {
    const one = session([grant(['unmask'], -1, 1_000)])
    expect(one.redact("select 1 where email = 'ada@example.com' -- password=hunter2")).toBe(
      "select 1 where email = 'a•••@•••.com' -- password=••••••••",
    )
    expect(one.textMasks().map(({ dataClass }) => dataClass)).toEqual(['secret'])
    expect(one.recordMasks().map(({ dataClass }) => dataClass)).toEqual(['email', 'secret'])
    expect(one.classOf('public', 'customers', 'email')).toBe('email')
    expect(one.classesIn('to ada@example.com')).toEqual(['email'])
    const other = session()
    expect(other.recordMasks()).toBe(other.textMasks())
  })
})

test('what is remembered for all subjects is bounded in bytes', async () => {
  const small = new Policies(1 << 20)
  expect((await small.push(files())).ok).toBe(true)
  const columns = (n: number) => Array.from({ length: 40 }, (_, i) => `public.${'t'.repeat(60)}${n}.c${i}`)
  for (let person = 0; person < 40; person++) {
    const principal = { kind: 'user' as const, id: `person-${person}`, name: '', groups: [] }
    const own = new SessionPolicy({ ...subject(), principal }, small, hash, () => now)
    for (let n = 0; n < 10; n++) own.decide({ action: 'sql:select', columns: columns(n) })
  }
  // Beyond the bound by no more than what the last subject was asked.
  expect(small.remembered).toBeLessThan(1.5 * 2 ** 20)
  const one = new SessionPolicy(subject(), small, hash, () => now)
  for (let n = 0; n < 500; n++) one.decide({ action: 'sql:select', columns: columns(n) })
  expect(small.remembered).toBeLessThan(4 * 2 ** 20)
})

test('a block that a second factor would lift says so, to a person who has none', async () => {
  const careful = `@id("mfa") forbid(principal, action == Action::"sql:delete", resource) unless { context.mfa };
@id("all") permit(principal, action, resource);
@id("never") forbid(principal, action == Action::"sql:truncate", resource);`
  expect((await policies.push(files(careful))).ok).toBe(true)
  const of = (kind: 'user' | 'machine', mfa: boolean) => {
    const { principal, context, ...rest } = subject()
    const who = { ...rest, principal: { ...principal, kind }, context: { ...context, mfa } }
    return new SessionPolicy(who, policies, hash, () => now)
  }
  const one = of('user', false)
  expect(one.decide({ action: 'sql:delete' })).toMatchObject({ verdict: 'block', policy: { id: 'mfa' }, stepUp: true })
  expect(one.decide({ action: 'sql:truncate' })).toEqual({ verdict: 'block', policy: expect.anything() })
  expect(one.decide({ action: 'sql:select' }).verdict).toBe('allow')
  expect(of('user', true).decide({ action: 'sql:delete' }).verdict).toBe('allow')
  // A machine has no second factor to give.
  expect(of('machine', false).decide({ action: 'sql:delete' })).toEqual({ verdict: 'block', policy: expect.anything() })
})
