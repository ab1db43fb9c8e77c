import { randomUUID } from 'node:crypto'
import { type FileHandle, mkdir, open, rm, statfs } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { ResultColumn } from '../../shared/rpc/contract.ts'
import { codeOf, fail, messageOf } from '../problem.ts'

export type Row = readonly (string | null)[]

export interface ResultLimits {
  /** Rows kept at most. */
  rows: number
  /** UTF-16 units of text kept at most, roughly bytes. */
  size: number
  /** Held in memory before pages go to the spool file. */
  memory: number
  /** Bytes of the disk that are left to others. */
  free: number
}

const mib = 1024 * 1024

export const defaultLimits: ResultLimits = {
  rows: 5_000_000,
  size: 2048 * mib,
  memory: 4 * mib,
  free: 512 * mib,
}

/** How much is spilled between two looks at what the disk has left. */
const checkEvery = 32 * mib

const pageRows = 256
const pageSize = 256 * 1024
const maxUnwritten = 4 * 1024 * 1024
const cachedPages = 8

/**
 * A run of rows. The last one grows as rows; a full one is bytes of JSON, in memory, in the file, or (while it is being written) both.
 * As bytes it is nothing that the garbage collector has to look at or move: rows live no longer than their page is the last.
 */
interface Page {
  first: number
  count: number
  size: number
  rows: Row[] | undefined
  bytes: Buffer | undefined
  place: { offset: number; length: number } | undefined
}

/**
 * Rows of one result, readable by index while more come in: first in memory, then in a spool file that only its owner can read and
 * that is gone with the process. Keeps to `limits`; rows beyond are counted and dropped, and `cut` says why.
 */
export class ResultStore {
  readonly id = randomUUID()
  /** Rows that came in, kept or not. */
  seen = 0
  /** Rows that can be read. */
  kept = 0
  complete = false
  /** Its statement ended before all rows were here. */
  stopped = false
  /** Why rows were dropped, in words; undefined when all are kept. */
  cut: string | undefined
  /** As they were told last, with what is masked. */
  columns: readonly ResultColumn[] = []
  private readonly file: string
  private readonly limits: ResultLimits
  private readonly pages: Page[] = []
  private readonly cache = new Map<Page, Row[]>()
  private size = 0
  private inMemory = 0
  private unwritten = 0
  private end = 0
  private checked = Number.NEGATIVE_INFINITY
  private handle: Promise<FileHandle> | undefined
  private writing: Promise<void> = Promise.resolve()
  private opened = false
  private released = false

  constructor(dir: string, limits: ResultLimits = defaultLimits) {
    this.file = join(dir, `${process.pid}-${this.id}.rows`)
    this.limits = limits
  }

  /** False: the disk is behind; wait for `drained()` before giving more. */
  append(row: Row): boolean {
    this.seen += 1
    if (this.cut !== undefined || this.released) return true
    let size = 8
    for (const cell of row) size += cell === null ? 4 : cell.length + 4
    if (this.kept >= this.limits.rows || this.size + size > this.limits.size) {
      this.cut = `only the first ${this.kept.toLocaleString('en')} rows are kept`
      return true
    }
    this.add(row, size)
    return this.unwritten <= maxUnwritten
  }

  private add(row: Row, size: number): void {
    let page = this.pages.at(-1)
    if (page?.rows === undefined || page.count >= pageRows || page.size >= pageSize) {
      if (page?.rows !== undefined) this.close(page, page.rows)
      page = { first: this.kept, count: 0, size: 0, rows: [], bytes: undefined, place: undefined }
      this.pages.push(page)
    }
    page.rows?.push(row)
    page.count += 1
    page.size += size
    this.kept += 1
    this.size += size
    this.inMemory += size
  }

  /** Resolves when the disk has caught up. */
  drained(): Promise<void> {
    return this.writing
  }

  /** No more rows will come. */
  async finish(): Promise<void> {
    await this.writing
    this.complete = true
  }

  private close(page: Page, rows: readonly Row[]): void {
    page.bytes = Buffer.from(JSON.stringify(rows))
    page.rows = undefined
    if (this.inMemory > this.limits.memory) this.spill(page, page.bytes)
  }

  private spill(page: Page, bytes: Buffer): void {
    const place = { offset: this.end, length: bytes.length }
    this.end += bytes.length
    page.place = place
    this.unwritten += page.size
    this.writing = this.writing.then(async () => {
      try {
        if (this.cut === undefined && !this.released) {
          await this.checkDisk(place.offset)
          await writeWhole(await this.openFile(), bytes, place.offset)
          page.bytes = undefined
          this.inMemory -= page.size
        } else page.place = undefined
      } catch (error) {
        // The page stays in memory, so what was promised is still there; nothing more is taken.
        page.place = undefined
        const why = codeOf(error) === 'ENOSPC' ? 'the disk is full' : messageOf(error)
        this.cut = `only the first ${this.kept.toLocaleString('en')} rows are kept: ${why}`
      } finally {
        this.unwritten -= page.size
      }
    })
  }

  private async checkDisk(written: number): Promise<void> {
    if (written - this.checked < checkEvery) return
    this.checked = written
    await this.openFile()
    const { bavail, bsize } = await statfs(dirname(this.file))
    if (bavail * bsize < this.limits.free) throw new Error('the disk is nearly full')
  }

  private openFile(): Promise<FileHandle> {
    this.handle ??= openSpool(this.file).then((handle) => {
      this.opened = true
      return handle
    })
    return this.handle
  }

  /** Rows [from, to), as far as they are there. */
  async window(from: number, to: number): Promise<Row[]> {
    const rows: Row[] = []
    const stop = Math.min(to, this.kept)
    let at = from
    while (at < stop && !this.released) {
      const page = this.pages[this.pageOf(at)]
      if (page === undefined) break
      const held = await this.rowsOf(page)
      rows.push(...held.slice(at - page.first, stop - page.first))
      at = page.first + page.count
    }
    return rows
  }

  /** Every row that is kept, in order, a page at a time. For one pass over all of it: what is read is not remembered. */
  async *scan(): AsyncGenerator<readonly Row[], void, void> {
    for (let i = 0; i < this.pages.length && !this.released; i += 1) {
      const page = this.pages[i]
      if (page !== undefined) yield page.rows ?? (await this.readPage(page))
    }
  }

  /** The last page that begins at or before `index`. */
  private pageOf(index: number): number {
    let low = 0
    let high = this.pages.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      const page = this.pages[middle]
      if (page !== undefined && page.first <= index) low = middle
      else high = middle - 1
    }
    return low
  }

  private async rowsOf(page: Page): Promise<Row[]> {
    if (page.rows !== undefined) return page.rows
    const cached = this.cache.get(page)
    if (cached !== undefined) return cached
    const rows = await this.readPage(page)
    this.cache.set(page, rows)
    for (const oldest of this.cache.keys()) {
      if (this.cache.size <= cachedPages) break
      this.cache.delete(oldest)
    }
    return rows
  }

  private async readPage(page: Page): Promise<Row[]> {
    if (page.bytes !== undefined) return parseRows(page.bytes)
    if (page.place === undefined) return page.rows ?? []
    const { offset, length } = page.place
    const bytes = Buffer.alloc(length)
    const handle = await this.openFile()
    let read = 0
    while (read < length) {
      const { bytesRead } = await handle.read(bytes, read, length - read, offset + read)
      if (bytesRead === 0) throw fail('failed', 'The file that holds this result is shorter than it was.')
      read += bytesRead
    }
    return parseRows(bytes)
  }

  /** Lets go of memory and file. */
  async release(): Promise<void> {
    this.released = true
    await this.writing
    this.pages.length = 0
    this.cache.clear()
    if (this.handle === undefined || !this.opened) return
    const handle = await this.handle
    await handle.close()
    await rm(this.file, { force: true })
  }
}

function parseRows(bytes: Buffer): Row[] {
  const rows: Row[] = JSON.parse(bytes.toString())
  return rows
}

async function openSpool(file: string): Promise<FileHandle> {
  await mkdir(join(file, '..'), { recursive: true, mode: 0o700 })
  const handle = await open(file, 'wx+', 0o600)
  // Unlinked while open: a crash leaves nothing behind. Windows can't, and deletes it on release.
  if (process.platform !== 'win32') await rm(file)
  return handle
}

async function writeWhole(handle: FileHandle, bytes: Buffer, offset: number): Promise<void> {
  let written = 0
  while (written < bytes.length) {
    const result = await handle.write(bytes, written, bytes.length - written, offset + written)
    written += result.bytesWritten
  }
}
