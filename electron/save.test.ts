import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import { expect, test } from 'vitest'
import { dialogSaver } from './save.ts'

test('a file goes where the dialog says, whole; without a choice there is none', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'sallyport-save-'))
  const asked: string[] = []
  const saver = dialogSaver(
    {
      showSaveDialog: ({ defaultPath }) => {
        asked.push(defaultPath)
        return Promise.resolve({ canceled: false, filePath: join(dir, 'chosen.csv') })
      },
    },
    dir,
  )
  const target = await saver({ name: 'rows.csv', type: 'text/csv' })
  expect(target?.offer).toBeUndefined()
  const stream = await target?.open()
  stream?.end('a\r\n')
  if (stream !== undefined) await finished(stream)
  await expect(readFile(join(dir, 'chosen.csv'))).rejects.toThrow('ENOENT')
  expect(await target?.commit()).toBe(join(dir, 'chosen.csv'))
  expect(await readFile(join(dir, 'chosen.csv'), 'utf8')).toBe('a\r\n')
  expect(asked).toEqual([join(dir, 'rows.csv')])
  const none = dialogSaver({ showSaveDialog: () => Promise.resolve({ canceled: true }) }, dir)
  expect(await none({ name: 'rows.csv', type: 'text/csv' })).toBeUndefined()
  await rm(dir, { recursive: true })
})
