import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, open, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { basename, dirname, extname, join } from 'node:path'
import type { Writable } from 'node:stream'
import { codeOf } from './problem.ts'

/** A file for the person, as it is proposed. */
export interface SavedFile {
  /** A plain name with its extension. */
  name: string
  /** Media type. */
  type: string
}

/** Where one file goes, once that is known. It is there whole after `commit`, and not at all after `discard`. */
export interface SaveTarget {
  /** The browser shell: a path of our own origin that the page opens, which begins the download. */
  offer?: string
  /** What to write to. Waits until whoever takes the bytes is there. */
  open(): Promise<Writable>
  /** After the stream has finished. Resolves with where the file is, in words. */
  commit(): Promise<string>
  discard(): Promise<void>
}

/** How a shell lets the person save a file. Undefined: they chose not to. */
export type Saver = (file: SavedFile) => Promise<SaveTarget | undefined>

/** Saves at `path`: written beside it, readable by its owner only, and renamed when it is whole. */
export function fileTarget(path: string): SaveTarget {
  const part = join(dirname(path), `.${basename(path)}.${randomUUID()}.part`)
  let opened: Promise<Writable> | undefined
  return {
    open: () => {
      opened ??= openPart(part)
      return opened
    },
    commit: async () => {
      const handle = await open(part, 'r+')
      try {
        await handle.sync()
      } finally {
        await handle.close()
      }
      await rename(part, path)
      return path
    },
    discard: async () => {
      const stream = await opened?.catch(() => undefined)
      if (stream !== undefined && !stream.closed) {
        const closed = once(stream, 'close')
        stream.destroy()
        await closed
      }
      await rm(part, { force: true })
    },
  }
}

async function openPart(part: string): Promise<Writable> {
  await mkdir(dirname(part), { recursive: true })
  const handle = await open(part, 'wx', 0o600)
  return handle.createWriteStream()
}

/** Saves to the downloads folder under a name that is free: for a shell without a dialog. */
export function downloadsSaver(dir = join(homedir(), 'Downloads')): Saver {
  return async ({ name }) => fileTarget(await freePath(dir, name))
}

async function freePath(dir: string, name: string): Promise<string> {
  const extension = extname(name)
  const stem = name.slice(0, name.length - extension.length)
  for (let n = 0; ; n += 1) {
    const path = join(dir, n === 0 ? name : `${stem} (${n})${extension}`)
    try {
      const handle = await open(path, 'r')
      await handle.close()
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return path
      if (codeOf(error) !== 'EACCES' && codeOf(error) !== 'EISDIR') throw error
    }
  }
}
