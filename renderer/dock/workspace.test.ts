import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createWorkspace, isSameButText } from './workspace.ts'

const orders = { name: 'orders-db', kind: 'postgres', environment: 'production' } as const
const web = { name: 'web-1', kind: 'ssh', environment: 'production' } as const

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

test('drafts come back for the person who wrote them, and for nobody else; terminals do not', () => {
  const saved: unknown[] = []
  const first = createWorkspace((drafts) => saved.push(drafts))
  first.enter('linus', undefined)
  first.open(orders, { text: 'SELECT 1' })
  first.open(web)
  first.setLayout({ grid: 'two' })
  vi.runAllTimers()
  const [drafts] = saved
  const again = createWorkspace(() => undefined)
  again.enter('linus', drafts)
  expect(again.state.get().documents).toMatchObject([{ kind: 'sql', text: 'SELECT 1' }])
  expect(again.state.get().layout).toEqual({ grid: 'two' })
  again.leave()
  again.enter('grace', drafts)
  expect(again.state.get().documents).toEqual([])
})

test('the same person signing in again finds the tabs as they are', () => {
  const workspace = createWorkspace(() => undefined)
  workspace.enter('linus', undefined)
  workspace.open(orders)
  workspace.enter('linus', undefined)
  expect(workspace.state.get().documents).toHaveLength(1)
})

test('opening again shows the tab that is there; a fresh one has its own name', () => {
  const workspace = createWorkspace(() => undefined)
  workspace.open(orders)
  workspace.open(orders)
  workspace.open(orders, { fresh: true })
  expect(workspace.state.get().documents.map((d) => d.title)).toEqual(['query 1', 'query 2'])
  workspace.close(workspace.state.get().active ?? '')
  expect(workspace.state.get().active).toBe(workspace.state.get().documents[0]?.id)
})

test('what is not a draft is left out', () => {
  const workspace = createWorkspace(() => undefined)
  workspace.enter('linus', { owner: 'linus', documents: [{ kind: 'sql', id: 1 }, null, 'x'], active: 3 })
  expect(workspace.state.get()).toEqual({ documents: [], active: undefined, sidebar: true })
})

test('a tab is drawn again for all that changes in it but its text', () => {
  const workspace = createWorkspace(() => undefined)
  workspace.enter('linus', undefined)
  workspace.open(orders, { text: 'SELECT 1' })
  const shown = () => {
    const [document] = workspace.state.get().documents
    if (document?.kind !== 'sql') throw new Error('no draft')
    return document
  }
  const before = shown()
  workspace.setText(before.id, 'SELECT 2')
  expect(isSameButText(before, shown())).toBe(true)
  workspace.setShare(before.id, 0.4)
  expect(isSameButText(before, shown())).toBe(false)
  const moved = shown()
  workspace.setShare(before.id, 0.5)
  expect(isSameButText(moved, shown())).toBe(false)
})
