import { expect, it } from 'vitest'
import type { CatalogFunction } from '../analysis.ts'
import { Codes } from './codes.ts'
import { Report } from './report.ts'

it('keeps what code does, but not for every search_path that a client can think of', () => {
  const fn: CatalogFunction = {
    oid: 1,
    schema: 'public',
    name: 'f',
    language: 'sql',
    volatility: 'stable',
    securityDefiner: false,
    returnsSet: false,
    definition: 'select 1',
  }
  const codes = new Codes()
  let reads = 0
  const ask = (path: string) =>
    codes.report(fn, undefined, [path], () => {
      reads++
      return new Report('sql:select')
    })
  expect(ask('public')).toBe(ask('public'))
  expect(reads).toBe(1)
  const long = 'x'.repeat(2_000)
  expect(ask(long)).not.toBe(ask(long))
})
