import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'

/** What stands at the head of an Electron archive: which files it has, and the hash that the runtime checks before it reads one. */
export interface AsarHead {
  /** SHA-256 (hex) of the header, as Electron's integrity check has it. */
  hash: string
  files: readonly string[]
}

interface Entry {
  files?: Record<string, Entry>
}

const maxHeader = 64 * 1024 * 1024

/**
 * Reads it. Layout (Chromium pickles, little endian): u32 4 · u32 size of the header pickle · u32 payload size · u32 length of the JSON ·
 * JSON. Throws when the file is no archive.
 */
export async function readAsarHead(path: string): Promise<AsarHead> {
  const file = await open(path)
  try {
    const sizes = Buffer.alloc(16)
    await file.read(sizes, 0, 16, 0)
    const length = sizes.readUInt32LE(12)
    if (sizes.readUInt32LE(0) !== 4 || length === 0 || length > maxHeader) throw new Error(`${path} is no archive.`)
    const json = Buffer.alloc(length)
    await file.read(json, 0, length, 16)
    const root: Entry = JSON.parse(json.toString('utf8'))
    return { hash: createHash('sha256').update(json).digest('hex'), files: listed(root, '') }
  } finally {
    await file.close()
  }
}

function listed(entry: Entry, path: string): string[] {
  if (entry.files === undefined) return [path]
  return Object.entries(entry.files).flatMap(([name, inner]) => listed(inner, path === '' ? name : `${path}/${name}`))
}
