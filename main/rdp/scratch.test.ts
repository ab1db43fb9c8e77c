import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { sweepScratch, writeScratch } from './scratch.ts'

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sallyport-scratch-'))
})
afterEach(() => rm(dir, { recursive: true, force: true }))

test('a file is its owner’s alone, and goes with its folder', async () => {
  const file = await writeScratch(dir, 'a', 'desk-1.rdp', 'full address:s:127.0.0.1:1')
  expect(await readFile(file.path, 'utf8')).toContain('127.0.0.1')
  if (process.platform !== 'win32') {
    expect((await stat(file.path)).mode & 0o777).toBe(0o600)
    expect((await stat(dirname(file.path))).mode & 0o777).toBe(0o700)
  }
  await file.remove()
  await file.remove()
  expect(await readdir(join(dir, 'desktops'))).toEqual([])
})

test('what a crash left behind is swept at the next start; what a running client needs is not', async () => {
  const gone = join(dir, 'desktops', '999999999-x')
  const other = join(dir, 'desktops', `${process.ppid}-y`)
  for (const folder of [gone, other]) {
    await mkdir(folder, { recursive: true })
    await writeFile(join(folder, 'desk-1.rdp'), 'username:s:k3v9q2xwa')
  }
  await sweepScratch(dir)
  expect(await readdir(join(dir, 'desktops'))).toEqual([`${process.ppid}-y`])
})

test('there may be nothing to sweep', async () => {
  await sweepScratch(join(dir, 'nowhere'))
})
