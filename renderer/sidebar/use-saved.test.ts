import { expect, test } from 'vitest'
import { findSaved, parseSavedPath, savedPath } from './use-saved.ts'

const query = (folder: string, name: string, text: string) => ({
  id: name,
  savedAt: '2026-01-01T00:00:00Z',
  folder,
  name,
  text,
})

test('saved queries are found by every word, in folder, name or statement', () => {
  const all = [query('incidents', 'Twice', 'SELECT 1 FROM payments'), query('', 'Orders', 'SELECT 2')]
  const names = (search: string) => findSaved(all, search).map((q) => q.name)
  expect(names('')).toEqual(['Twice', 'Orders'])
  expect(names('INCIDENTS payments')).toEqual(['Twice'])
  expect(names('select 2')).toEqual(['Orders'])
  expect(names('select nothing')).toEqual([])
})

test('a path is folder and name, and back', () => {
  expect(parseSavedPath(' a / b/c ')).toEqual({ folder: 'a/b', name: 'c' })
  expect(parseSavedPath('c')).toEqual({ folder: '', name: 'c' })
  expect(parseSavedPath(' / ')).toBeUndefined()
  expect(savedPath({ folder: 'a/b', name: 'c' })).toBe('a/b/c')
})
