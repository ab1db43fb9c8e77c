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

/** Remembers what is saved; `answer` ends the saves that go on. */
function keeper() {
  const saved: unknown[] = []
  const open: (() => void)[] = []
  const save = (drafts: unknown) =>
    new Promise<void>((resolve) => {
      saved.push(drafts)
      open.push(resolve)
    })
  const answer = async () => {
    for (const resolve of open.splice(0)) resolve()
    await vi.advanceTimersByTimeAsync(0)
  }
  return { saved, save, answer }
}

test('drafts come back for the person who wrote them, and for nobody else; terminals do not', () => {
  const { saved, save } = keeper()
  const first = createWorkspace(save)
  first.enter('linus', undefined)
  first.open(orders, { text: 'SELECT 1' })
  first.open(web)
  first.setLayout({ grid: 'two' })
  vi.runAllTimers()
  const [drafts] = saved
  const again = createWorkspace(async () => {})
  again.enter('linus', drafts)
  expect(again.state.get().documents).toMatchObject([{ kind: 'sql', text: 'SELECT 1' }])
  expect(again.state.get().layout).toEqual({ grid: 'two' })
  again.leave()
  again.enter('grace', drafts)
  expect(again.state.get().documents).toEqual([])
})

test('the same person signing in again finds the tabs as they are', () => {
  const workspace = createWorkspace(async () => {})
  workspace.enter('linus', undefined)
  workspace.open(orders)
  workspace.enter('linus', undefined)
  expect(workspace.state.get().documents).toHaveLength(1)
})

test('opening again shows the tab that is there; a fresh one has its own name', () => {
  const workspace = createWorkspace(async () => {})
  workspace.open(orders)
  workspace.open(orders)
  workspace.open(orders, { fresh: true })
  expect(workspace.state.get().documents.map((d) => d.title)).toEqual(['query 1', 'query 2'])
  workspace.close(workspace.state.get().active ?? '')
  expect(workspace.state.get().active).toBe(workspace.state.get().documents[0]?.id)
})

test('what is not a draft is left out', () => {
  const workspace = createWorkspace(async () => {})
  workspace.enter('linus', { owner: 'linus', documents: [{ kind: 'sql', id: 1 }, null, 'x'], active: 3 })
  expect(workspace.state.get()).toEqual({ documents: [], active: undefined, sidebar: true, closed: [] })
})

test('a tab is drawn again for all that changes in it but its text', () => {
  const workspace = createWorkspace(async () => {})
  workspace.enter('linus', undefined)
  workspace.open(orders, { text: 'SELECT 1' })
  const shown = () => {
    const [document] = workspace.state.get().documents
    if (document?.kind !== 'sql') throw new Error('no draft')
    return document
  }
  const before = shown()
  const writer = workspace.write(before.id, () => 'SELECT 2')
  writer.changed()
  writer.end()
  expect(shown().text).toBe('SELECT 2')
  expect(isSameButText(before, shown())).toBe(true)
  workspace.setShare(before.id, 0.4)
  expect(isSameButText(before, shown())).toBe(false)
  const moved = shown()
  workspace.setShare(before.id, 0.5)
  expect(isSameButText(moved, shown())).toBe(false)
})

/** A tab that is written in, letter by letter. */
function typist(save: (drafts: unknown) => Promise<void>) {
  const workspace = createWorkspace(save)
  workspace.enter('linus', undefined)
  workspace.open(orders)
  let text = ''
  const writer = workspace.write(workspace.state.get().active ?? '', () => text)
  const type = (letters: string) => {
    text += letters
    writer.changed()
  }
  return { workspace, type, end: writer.end }
}

test('what is typed is saved while the typing goes on, and not only after a pause', async () => {
  const { saved, save, answer } = keeper()
  const { type } = typist(save)
  for (const letter of 'SELECT 12345678901234567890') {
    type(letter)
    await vi.advanceTimersByTimeAsync(40)
    await answer()
  }
  expect(saved.length).toBeGreaterThan(4)
  expect(saved.at(-1)).toMatchObject({ documents: [{ text: expect.stringContaining('SELECT 123456789') }] })
})

test('a save that takes long is waited for; what came meanwhile is saved after it', async () => {
  const { saved, save, answer } = keeper()
  const { type } = typist(save)
  type('one')
  await vi.advanceTimersByTimeAsync(1_000)
  type(' two')
  await vi.advanceTimersByTimeAsync(1_000)
  expect(saved).toHaveLength(1)
  await answer()
  await vi.advanceTimersByTimeAsync(1_000)
  expect(saved.at(-1)).toMatchObject({ documents: [{ text: 'one two' }] })
})

test('a page that goes saves at once, also while another save goes on; with nothing new it saves nothing', async () => {
  const { saved, save, answer } = keeper()
  const { workspace, type } = typist(save)
  type('one')
  await vi.advanceTimersByTimeAsync(1_000)
  type(' two')
  workspace.flush()
  expect(saved.at(-1)).toMatchObject({ documents: [{ text: 'one two' }] })
  await answer()
  workspace.flush()
  await vi.advanceTimersByTimeAsync(1_000)
  expect(saved).toHaveLength(2)
})

test('what was typed right before signing out is there after signing in again', async () => {
  const { saved, save } = keeper()
  const { workspace, type } = typist(save)
  type('SELECT 1')
  workspace.leave()
  workspace.enter('linus', saved.at(-1))
  expect(workspace.state.get().documents).toMatchObject([{ text: 'SELECT 1' }])
})

test('what is typed draws nothing: the window hears of a text when its editor ends, as it was saved last', async () => {
  const { saved, save, answer } = keeper()
  const { workspace, type, end } = typist(save)
  let heard = 0
  workspace.state.subscribe(() => {
    heard += 1
  })
  type('SELECT 1')
  await vi.advanceTimersByTimeAsync(1_000)
  await answer()
  expect(saved.at(-1)).toMatchObject({ documents: [{ text: 'SELECT 1' }] })
  expect(heard).toBe(0)
  end()
  expect(heard).toBe(1)
  expect(workspace.state.get().documents).toMatchObject([{ text: 'SELECT 1' }])
})

test('a query that was closed comes back with its text as it was typed last; what has none, and a shell, do not', () => {
  const workspace = createWorkspace(async () => {})
  workspace.enter('linus', undefined)
  workspace.open(orders, { text: 'SELECT 1' })
  workspace.open(orders, { fresh: true })
  workspace.open(web)
  const [query = { id: '' }, empty = { id: '' }, shell = { id: '' }] = workspace.state.get().documents
  const writer = workspace.write(query.id, () => 'SELECT 2')
  writer.changed()
  for (const { id } of [query, empty, shell]) workspace.close(id)
  writer.end()
  expect(workspace.state.get().documents).toEqual([])
  workspace.open(orders)
  workspace.reopen()
  workspace.reopen()
  expect(workspace.state.get().documents).toMatchObject([
    { title: 'query 1', text: '' },
    { title: 'query 2', text: 'SELECT 2' },
  ])
  expect(workspace.state.get().active).toBe(workspace.state.get().documents[1]?.id)
})
