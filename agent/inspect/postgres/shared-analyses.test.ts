import { beforeAll, expect, test } from 'vitest'
import type { StatementAnalysis } from './analysis.ts'
import { Snapshot } from './catalog/catalog.ts'
import { loadParser } from './parser.ts'
import { SharedAnalyses } from './shared-analyses.ts'
import { type Meaning, Scripts } from './statements.ts'

beforeAll(loadParser)

const tables = ['public', 'other'].map((schema, i) => ({
  oid: 10 + i,
  schema,
  name: 't',
  kind: 'table' as const,
  columns: [{ name: 'a', attnum: 1, typeOid: 25, typeName: 'text' }],
  parents: [],
  hasRules: false,
}))

function snapshot(version: number): Snapshot {
  return new Snapshot(version, 'orders', { own: { relations: tables, functions: [] } })
}

function meaningOf(catalog: Snapshot, searchPath: readonly string[] = ['public']): Meaning {
  return { catalog, searchPath, uncommitted: undefined }
}

function analysed(text: string, meaning: Meaning): { statement: object; analysis: StatementAnalysis } {
  const script = new Scripts().get(text, meaning, false)
  const [statement] = script.ok ? script.statements : []
  if (statement === undefined) throw new Error(`“${text}” does not parse`)
  return { statement, analysis: statement.analysis }
}

test('sessions share what a statement does, and not what was decided about it', () => {
  const catalog = snapshot(1)
  const one = analysed('select a from t limit 5', meaningOf(catalog))
  const other = analysed('select a from t limit 7', meaningOf(catalog))
  expect(one.analysis.tables).toEqual(['public.t'])
  expect(other.analysis).toBe(one.analysis)
  expect(other.statement).not.toBe(one.statement)
})

test('under another search_path or catalog it is looked at anew', () => {
  const catalog = snapshot(1)
  const text = 'select a from t'
  const one = analysed(text, meaningOf(catalog))
  expect(analysed(text, meaningOf(catalog, ['other'])).analysis.tables).toEqual(['other.t'])
  expect(analysed(text, meaningOf(catalog, ['other', 'public'])).analysis.tables).toEqual(['other.t'])
  expect(analysed(text, meaningOf(snapshot(2))).analysis).not.toBe(one.analysis)
})

test('a statement whose literals make a difference is each session’s own, as is a text of several', () => {
  const meaning = meaningOf(snapshot(1))
  for (const text of [
    "select 'a' || a from t order by 1",
    "set search_path to 'other'",
    'select a from t; select a from t',
  ]) {
    expect(analysed(text, meaning).analysis).not.toBe(analysed(text, meaning).analysis)
  }
})

test('what is kept is bounded in number and bytes', () => {
  const { analysis } = analysed('select a from t', meaningOf(snapshot(1)))
  const many = new SharedAnalyses()
  for (let n = 0; n < 1_000; n++) many.keep(`select ${n}`, ['public'], analysis)
  expect([0, 743, 744, 999].map((n) => many.get(`select ${n}`, ['public']) !== undefined)).toEqual([
    false,
    false,
    true,
    true,
  ])
  const wide = { ...analysis, columns: Array.from({ length: 4_000 }, (_, n) => `public.t.c${n}`) }
  const large = new SharedAnalyses()
  for (let n = 0; n < 100; n++) large.keep(`select ${n}`, ['public'], wide)
  expect(large.bytes).toBeLessThan(2 << 20)
  expect(large.get('select 99', ['public'])).toBe(wide)
})
