import { beforeAll, describe, expect, it } from 'vitest'
import { analyse } from '../../agent/inspect/postgres/classify.ts'
import { planMasks } from '../../agent/inspect/postgres/mask/plan.ts'
import { loadParser } from '../../agent/inspect/postgres/parser.ts'
import { type BypassCase, cases } from './cases.ts'
import { demoCatalog, demoSensitivity } from './demo-catalog.ts'

const catalog = demoCatalog()

/** What comes of a query string: the last statement's result, or a block by any. */
function outcome(sql: string): { verdict: BypassCase['expect']; why: string } {
  const analysis = analyse(sql, catalog, { searchPath: ['public'] })
  if (!analysis.ok) return { verdict: 'blocked', why: analysis.message }
  let verdict: BypassCase['expect'] = 'clean'
  for (const statement of analysis.statements) {
    const plan = planMasks(statement, demoSensitivity)
    if (!plan.ok) return { verdict: 'blocked', why: plan.message }
    const kinds = plan.columns.flatMap((mask) => (mask ? [mask.kind] : []))
    verdict = kinds.includes('value') ? 'masked' : kinds.length > 0 ? 'null' : 'clean'
  }
  return { verdict, why: '' }
}

describe('attempts to see what is masked', () => {
  beforeAll(loadParser)

  it('are many', () => {
    expect(cases.length).toBeGreaterThanOrEqual(250)
  })

  it.each(cases.map((one) => [one.technique, one.sql, one.expect] as const))('%s: %s → %s', (_, sql, expected) => {
    const { verdict, why } = outcome(sql)
    expect(verdict, why).toBe(expected)
  })
})
