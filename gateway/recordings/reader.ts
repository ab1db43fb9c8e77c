import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { zstdDecompress } from 'node:zlib'
import { ChunkHeader, RecordingEvent, RecordingManifest } from '../../shared/recording.ts'
import { chunkName, chunkNumber, manifestName, maxChunkBytes, spoolName } from './layout.ts'
import { countLines, wholeLines } from './seal.ts'

const decompress = promisify(zstdDecompress)

/** Lines of a page: enough for a screen of work, little enough to hold and to send. */
const pageBytes = 8 * 1024 * 1024

export interface RecordedEvents {
  manifest: RecordingManifest
  events: RecordingEvent[]
  /** Position after the last event of the page; undefined at the end of what is stored. */
  next?: number
}

async function readManifest(folder: string): Promise<RecordingManifest> {
  return RecordingManifest.parse(JSON.parse(await readFile(join(folder, manifestName), 'utf8')))
}

/** Unpacks a chunk into its header and its event lines. Throws when it is not one. */
export async function unpack(bytes: Uint8Array): Promise<{ header: ChunkHeader; lines: Buffer }> {
  const text = await decompress(bytes, { maxOutputLength: maxChunkBytes })
  const end = text.indexOf(10)
  return {
    header: ChunkHeader.parse(JSON.parse(text.subarray(0, end).toString('utf8'))),
    lines: text.subarray(end + 1),
  }
}

/**
 * The manifest, and the numbers of the spools that it does not name, ascending. They are listed first: one that is sealed in between is
 * named by the manifest that is read then.
 */
export async function readParts(folder: string): Promise<{ manifest: RecordingManifest; spools: number[] }> {
  const files = await readdir(folder)
  const manifest = await readManifest(folder)
  const sealed = new Set(manifest.chunks.map((chunk) => chunk.chunk))
  const found: number[] = []
  for (const file of files) {
    const number = chunkNumber(file)
    if (number?.kind === 'spool' && !sealed.has(number.chunk)) found.push(number.chunk)
  }
  return { manifest, spools: found.sort((a, b) => a - b) }
}

/**
 * Reads up to `limit` events after position `after` (a count of events from the start), from sealed chunks and the live
 * spool alike. A page may hold fewer; go on with `next`.
 */
export async function readEvents(folder: string, after: number, limit: number): Promise<RecordedEvents> {
  // A spool that becomes a chunk between listing and reading makes one more round.
  for (let round = 0; ; round++) {
    try {
      return await readOnce(folder, after, limit)
    } catch (error) {
      if (!isMissing(error) || round === 4) throw error
    }
  }
}

async function readOnce(folder: string, after: number, limit: number): Promise<RecordedEvents> {
  const { manifest, spools } = await readParts(folder)
  const page = new Page(after, limit)
  for (const chunk of manifest.chunks) {
    if (page.full) break
    if (page.skip(chunk.events)) continue
    page.take((await unpack(await readFile(join(folder, chunkName(chunk.chunk))))).lines)
  }
  for (const chunk of page.full ? [] : spools) {
    page.take(wholeLines(await readFile(join(folder, spoolName(chunk)))))
    if (page.full) break
  }
  return { manifest, events: page.events, ...(page.full ? { next: page.position } : {}) }
}

/** Picks the wanted lines out of chunk after chunk. */
class Page {
  readonly events: RecordingEvent[] = []
  /** Events passed so far, taken or not. */
  position = 0
  full = false
  readonly #after: number
  readonly #limit: number
  #bytes = 0

  constructor(after: number, limit: number) {
    this.#after = after
    this.#limit = limit
  }

  /** True when all of the next `events` lie before the page, which then need not be read. */
  skip(events: number): boolean {
    if (this.position + events > this.#after) return false
    this.position += events
    return true
  }

  take(lines: Buffer): void {
    if (this.skip(countLines(lines))) return
    for (let start = 0; start < lines.byteLength; ) {
      if (this.events.length >= this.#limit || this.#bytes >= pageBytes) {
        this.full = true
        return
      }
      const end = lines.indexOf(10, start)
      if (this.position >= this.#after) {
        this.events.push(RecordingEvent.parse(JSON.parse(lines.subarray(start, end).toString('utf8'))))
        this.#bytes += end - start
      }
      this.position++
      start = end + 1
    }
  }
}

export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
