import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Library, libraryLimits } from './library.ts'

let dataDir: string
let warned: string[] = []
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'sallyport-library-'))
})
afterAll(() => rm(dataDir, { recursive: true }))

const open = (person: string) =>
  new Library({ dataDir, owner: { gateway: 'https://g', person }, warn: (message) => warned.push(message) })
const ran = (text: string) => ({ text, at: 0, outcome: 'allowed' as const, rows: 1, ms: 2 })
const texts = async (library: Library, search = '') =>
  (await library.history({ search, limit: 100 })).entries.map((entry) => entry.text)

test('history survives, is searched by words, and belongs to one person', async () => {
  const first = open('ada')
  await first.add('orders-db', ran('SELECT 1 FROM orders'))
  await first.add('orders-db', ran('DELETE FROM orders'))
  await first.add('orders-db', ran('DELETE FROM orders'))
  await first.close()
  const again = open('ada')
  expect(await texts(again)).toEqual(['DELETE FROM orders', 'SELECT 1 FROM orders'])
  expect(await texts(again, 'orders select')).toEqual(['SELECT 1 FROM orders'])
  expect(await texts(open('grace'))).toEqual([])
})

test('the file is its owner’s alone, and bounded', async () => {
  const library = open('linus')
  for (let i = 0; i < libraryLimits.entries + 5; i += 1) await library.add('orders-db', ran(`SELECT ${i}`))
  await library.add('orders-db', ran('x'.repeat(libraryLimits.entryLength + 5)))
  await library.close()
  const { entries, more } = await library.history({ search: '', limit: libraryLimits.entries })
  expect(entries).toHaveLength(libraryLimits.entries)
  expect(more).toBe(false)
  expect(entries[0]?.text).toHaveLength(libraryLimits.entryLength)
  for (const name of await readdir(join(dataDir, 'library'))) {
    expect((await stat(join(dataDir, 'library', name))).mode & 0o777).toBe(0o600)
  }
})

test('queries are saved, changed, found again in order of folder and name, and removed', async () => {
  const library = open('saver')
  const one = await library.save({ name: 'b', folder: ' incidents / 2026 ', text: 'SELECT 1' })
  expect(one.folder).toBe('incidents/2026')
  await library.save({ name: 'a', folder: '', text: 'SELECT 2' })
  await library.save({ ...one, name: 'c', text: 'SELECT 3' })
  const again = open('saver')
  expect((await again.saved()).map(({ name, text }) => [name, text])).toEqual([
    ['a', 'SELECT 2'],
    ['c', 'SELECT 3'],
  ])
  await again.remove(one.id)
  expect(await again.saved()).toHaveLength(1)
  await expect(again.save(one)).rejects.toThrow(/gone/)
})

test('a file that is broken is kept aside, and said so', async () => {
  warned = []
  const library = open('broken')
  await library.add('orders-db', ran('SELECT 1'))
  await library.close()
  const dir = join(dataDir, 'library')
  const files = await readdir(dir)
  const mine: string[] = []
  for (const file of files) if ((await readFile(join(dir, file), 'utf8')).length < 400) mine.push(file)
  for (const file of mine) await writeFile(join(dir, file), '{')
  expect(await texts(open('broken'))).toEqual([])
  expect(warned).toHaveLength(1)
})
