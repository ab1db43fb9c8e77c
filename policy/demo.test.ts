import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { PolicyFile } from '../shared/link.ts'
import { runCases } from './cases.ts'
import { testPolicyFolder } from './check.ts'
import { loadPolicySet } from './set.ts'
import { splitPolicies } from './source.ts'

const folder = new URL('../demo/policy/', import.meta.url)
const files: PolicyFile[] = readdirSync(folder).map((path) => ({
  path,
  text: readFileSync(new URL(path, folder), 'utf8'),
}))

describe('the demo policy', () => {
  test('keeps what its own tests promise', async () => {
    const report = await testPolicyFolder(files)
    expect(report.problems).toEqual([])
    expect(report.passed).toBeGreaterThan(30)
  })

  const cedar = files.find((file) => file.path === 'demo.cedar')
  const policies = splitPolicies('demo.cedar', cedar?.text ?? '')
  const names = policies.map((policy) => /@id\("([^"]+)"\)/.exec(policy.text)?.[1] ?? '')

  test.each(names)('fails its tests without %s', async (name) => {
    const text = policies
      // With the rules that approve for it: they would name nothing.
      .filter(({ text }, i) => names[i] !== name && !text.includes(`@auto("${name}")`))
      .map((policy) => policy.text)
      .join('')
    const mutilated = files.map((file) => (file.path === 'demo.cedar' ? { path: file.path, text } : file))
    const load = await loadPolicySet(mutilated)
    if (!load.ok) throw new Error('the set without one policy should still load')
    expect(runCases(load.set, mutilated).failures).not.toEqual([])
  })
})
