import { readFileSync } from 'node:fs'
import { schemaToJson } from '@cedar-policy/cedar-wasm/nodejs'
import { expect, test } from 'vitest'
import { actionParents } from '../shared/actions.ts'
import { schemaFile, schemaText } from './schema.ts'
import { loadPolicySet } from './set.ts'

const file = readFileSync(new URL(schemaFile, import.meta.url), 'utf8')

test('the schema file is what the code says', () => {
  expect(file).toBe(schemaText)
})

test('the schema has every action of shared/actions.ts, under its parent', () => {
  const answer = schemaToJson(file)
  if (answer.type === 'failure') throw new Error(answer.errors[0]?.message)
  const declared = Object.entries(answer.json[''] ? answer.json[''].actions : {}).map(([name, action]) => [
    name,
    action.memberOf?.[0]?.id ?? null,
  ])
  expect(Object.fromEntries(declared)).toEqual(actionParents)
})

test('a policy folder may hold a copy of it', async () => {
  const load = await loadPolicySet([
    { path: 'a.cedar', text: '@id("a") permit(principal, action, resource);' },
    { path: 'classification.yaml', text: 'classes: {}' },
    { path: schemaFile, text: file },
  ])
  expect(load.ok).toBe(true)
})
