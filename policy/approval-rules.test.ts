import { describe, expect, test } from 'vitest'
import type { Decision } from '../shared/decision.ts'
import { reasonFits } from './reason.ts'
import { loadPolicySet, type PolicyInput } from './set.ts'

const classification = { path: 'classification.yaml', text: 'classes: {}' }

async function load(cedar: string) {
  const result = await loadPolicySet([{ path: 'a.cedar', text: cedar }, classification])
  if (!result.ok) throw new Error(JSON.stringify(result.problems))
  return result.set
}

async function problems(cedar: string): Promise<string[]> {
  const result = await loadPolicySet([{ path: 'a.cedar', text: cedar }, classification])
  return result.ok ? [] : result.problems.map(({ file, line, reason }) => `${file}:${line}: ${reason}`)
}

const context = { sourceIp: '10.0.0.1', mfa: true, now: Date.parse('2026-01-14T10:00:00Z') }

function deletes(request: PolicyInput['request'], more: Partial<PolicyInput['context']> = {}): PolicyInput {
  return {
    principal: { kind: 'user', id: 'ada', name: 'Ada', groups: ['engineers'] },
    connection: { name: 'orders-db', kind: 'postgres', environment: 'production', tags: [] },
    action: 'sql:delete',
    ...(request === undefined ? {} : { request }),
    context: { ...context, ...more },
    grants: [],
  }
}

const scope = 'permit(principal, action in Action::"sql:write", resource)'

describe('how an approval is given', () => {
  test('every annotation is read', async () => {
    const set = await load(`@id("w") @approve("dba") @window("30m") @max("4h") @expires("10m") @stepup("15m")
      @reason_pattern("^INC-[0-9]+") @escalate("leads after 5m, heads after 9m") @breakglass("on-call") ${scope};`)
    expect(set.decide(deletes({}))).toMatchObject({
      approval: {
        maxSeconds: 14_400,
        expirySeconds: 600,
        stepUpSeconds: 900,
        reasonPattern: '^INC-[0-9]+',
        escalate: [
          { group: 'leads', afterSeconds: 300 },
          { group: 'heads', afterSeconds: 540 },
        ],
        breakGlass: 'on-call',
      },
    })
  })

  test.each([
    ['@approve("dba")\n@max("4 hours")', 2, /@max\("4 hours"\) is not a time/],
    ['@approve("dba")\n\n@expires("25h")', 3, /@expires\("25h"\) is not a time/],
    ['@approve("dba")\n@stepup("now")', 2, /@stepup\("now"\) is not a time/],
    ['@approve("dba")\n@reason_pattern("INC-[")', 2, /is not an RE2 pattern/],
    ['@approve("dba")\n@reason_pattern("(a)\\\\1")', 2, /is not an RE2 pattern/],
    ['@approve("dba")\n@escalate("leads in 10m")', 2, /is not a group and a time/],
    ['@approve("dba")\n@escalate("leads after 30m")', 2, /never comes: the request expires before/],
    ['@approve("dba")\n@breakglass', 2, /@breakglass needs a value/],
    ['@breakglass("on-call")', 1, /means nothing without @approve/],
    ['@approve("dba")\n@auto("x")', 2, /@auto and @approve on one policy/],
    ['@auto("w")', 1, /names itself/],
    ['@auto("nowhere")', 1, /names no permit with @approve/],
  ])('%s is refused, with its line', async (annotations, line, reason) => {
    const [problem = ''] = await problems(`@id("w") ${annotations} ${scope};`)
    expect(problem).toMatch(new RegExp(`^a\\.cedar:${line}: `))
    expect(problem).toMatch(reason)
  })

  test('a pattern that would take for ever elsewhere takes none here', () => {
    const started = performance.now()
    expect(reasonFits('^(a+)+$', `${'a'.repeat(50_000)}!`)).toBe(false)
    expect(performance.now() - started).toBeLessThan(2_000)
    expect(reasonFits('INC-\\d+', 'see INC-4821')).toBe(true)
    expect(reasonFits('[', 'anything')).toBe(false)
  })
})

describe('a rule that approves', () => {
  const hold = `@id("writes") @approve("dba") ${scope};`
  const one = `@id("own-orders") @reason("small") @auto("writes")
    permit(principal in Group::"engineers", action == Action::"sql:delete", resource)
    when { context.tables == ["public.drafts"] && context.hasWhere };`
  const approval = (decision: Decision) => (decision.verdict === 'hold' ? decision.approval : undefined)

  test('approves what it describes, and is held all the same', async () => {
    const set = await load(`${hold} ${one}`)
    const drafts = set.decide(deletes({ tables: ['public.drafts'], hasWhere: true, complete: true }))
    expect(approval(drafts)?.auto).toEqual({ id: 'own-orders', reason: 'small' })
    const orders = set.decide(deletes({ tables: ['public.orders'], hasWhere: true, complete: true }))
    expect(approval(orders)?.group).toBe('dba')
    expect(approval(orders)?.auto).toBeUndefined()
  })

  test('never approves on what is not known, or not wholly', async () => {
    const set = await load(`${hold} ${one}`)
    // `hasWhere` is true for a request that says nothing of it: enough to be held by, not to be let through by.
    expect(approval(set.decide(deletes({ tables: ['public.drafts'] })))).toMatchObject({ group: 'dba' })
    expect(approval(set.decide(deletes({ tables: ['public.drafts'] })))?.auto).toBeUndefined()
    const doubtful = deletes({ tables: ['public.drafts'], hasWhere: true, complete: false })
    expect(approval(set.decide(doubtful))?.auto).toBeUndefined()
    expect(approval(set.decide(deletes(undefined)))?.auto).toBeUndefined()
  })

  test('a ticket that is not there approves nothing, not even where the rule asks for none', async () => {
    const set = await load(`${hold} @id("no-ticket") @auto("writes")
      permit(principal, action == Action::"sql:delete", resource) unless { context has ticket };`)
    expect(approval(set.decide(deletes({})))?.auto).toBeUndefined()
  })

  test('permits nothing by itself', async () => {
    const set = await load(`@id("writes") @approve("dba") permit(principal, action == Action::"sql:insert", resource);
      ${one}`)
    const request = { tables: ['public.drafts'], hasWhere: true, complete: true }
    expect(set.decide(deletes(request))).toMatchObject({ verdict: 'block', policy: { id: 'default-deny' } })
  })

  test('a forbid outweighs it, and so does an error', async () => {
    const request = { tables: ['public.drafts'], hasWhere: true, complete: true, statementCount: 2 }
    const forbidden = await load(`${hold} ${one} @id("never") forbid(principal, action, resource);`)
    expect(forbidden.decide(deletes(request))).toMatchObject({ verdict: 'block', policy: { id: 'never' } })
    const failing = await load(`${hold} ${one} @id("overflow") @auto("writes")
      permit(principal, action in Action::"sql:write", resource)
      when { context.statementCount * 9223372036854775807 > 0 };`)
    expect(failing.decide(deletes(request))).toMatchObject({ verdict: 'block', policy: { id: 'policy-error' } })
  })

  test('a rule for another permit does not approve this one', async () => {
    const set = await load(`${hold} @id("more") @approve("owners") @reviewers("2") ${scope}; ${one}`)
    const decision = set.decide(deletes({ tables: ['public.drafts'], hasWhere: true, complete: true }))
    expect(approval(decision)).toMatchObject({ group: 'owners', count: 2 })
    expect(approval(decision)?.auto).toBeUndefined()
  })
})
