import { createHash, randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { z } from 'zod'
import { HistoryEntry, SavedQuery, type SavedQueryChange } from '../../shared/rpc/editor.ts'
import { pathParts } from '../../shared/sql/saved-path.ts'
import { readIfPresent, writeAtomic } from '../files.ts'
import { fail } from '../problem.ts'
import type { Ran } from './ran.ts'

/** What is kept of a person's statements; the oldest go first. */
export const libraryLimits = { entries: 2_000, entryLength: 20_000, length: 4_000_000, saved: 1_000 } as const

const writeAfterMs = 1_000

const Stored = z.object({ history: z.array(HistoryEntry).default([]), saved: z.array(SavedQuery).default([]) })
type Stored = z.infer<typeof Stored>

export interface LibraryOptions {
  dataDir: string
  /** Whose it is: the gateway and the person there. */
  owner: { gateway: string; person: string }
  warn(message: string): void
}

/**
 * History and saved queries of one person at one gateway, in a file that only its owner can read, replaced whole. Statements and how
 * they went; never results, values of parameters or messages of the database, which may hold data.
 */
export class Library {
  private readonly file: string
  private readonly warn: (message: string) => void
  private stored: Promise<Stored>
  private timer: NodeJS.Timeout | undefined
  private writing: Promise<void> = Promise.resolve()

  constructor({ dataDir, owner, warn }: LibraryOptions) {
    const name = createHash('sha256')
      .update(JSON.stringify([owner.gateway, owner.person]))
      .digest('hex')
      .slice(0, 32)
    this.file = join(dataDir, 'library', `${name}.json`)
    this.warn = warn
    this.stored = this.load()
  }

  /** Notes a statement that ended. Reaches the disk within a second or so, and by `close`. */
  async add(connection: string, ran: Ran): Promise<void> {
    const { text, at, ...rest } = ran
    const stored = await this.stored
    const entry = {
      id: randomUUID(),
      at: new Date(at).toISOString(),
      connection,
      text: text.slice(0, libraryLimits.entryLength),
      ...rest,
    }
    // The same statement run again and again is one line.
    const [last] = stored.history
    const same =
      last !== undefined && last.text === entry.text && last.connection === connection && last.outcome === entry.outcome
    stored.history = [entry, ...(same ? stored.history.slice(1) : stored.history)].slice(0, libraryLimits.entries)
    this.saveSoon()
  }

  /** Entries with all the words, newest first. */
  async history(filter: {
    search: string
    connection?: string | undefined
    limit: number
  }): Promise<{ entries: HistoryEntry[]; more: boolean }> {
    const words = filter.search
      .toLowerCase()
      .split(/\s+/)
      .filter((word) => word !== '')
    const { history } = await this.stored
    const found = history.filter(
      (entry) =>
        (filter.connection === undefined || entry.connection === filter.connection) &&
        words.every((word) => entry.text.toLowerCase().includes(word)),
    )
    return { entries: found.slice(0, filter.limit), more: found.length > filter.limit }
  }

  async clearHistory(): Promise<void> {
    const stored = await this.stored
    stored.history = []
    await this.write()
  }

  async saved(): Promise<SavedQuery[]> {
    const { saved } = await this.stored
    return [...saved].sort((a, b) => `${a.folder}/${a.name}`.localeCompare(`${b.folder}/${b.name}`))
  }

  async save({ id, name, folder, connection, text }: SavedQueryChange): Promise<SavedQuery> {
    const stored = await this.stored
    if (id !== undefined && !stored.saved.some((query) => query.id === id))
      throw fail('not-found', 'That saved query is gone.')
    if (id === undefined && stored.saved.length >= libraryLimits.saved) {
      throw fail('bad-input', `${libraryLimits.saved} queries are saved already.`, { hint: 'Remove some first.' })
    }
    const query: SavedQuery = {
      id: id ?? randomUUID(),
      savedAt: new Date().toISOString(),
      name,
      folder: pathParts(folder).join('/'),
      text,
      ...(connection === undefined ? {} : { connection }),
    }
    stored.saved = [...stored.saved.filter((other) => other.id !== query.id), query]
    await this.write()
    return query
  }

  async remove(id: string): Promise<void> {
    const stored = await this.stored
    stored.saved = stored.saved.filter((query) => query.id !== id)
    await this.write()
  }

  /** Writes what is not yet on the disk. */
  async close(): Promise<void> {
    if (this.timer !== undefined) await this.write()
    await this.writing
  }

  private saveSoon(): void {
    this.timer ??= setTimeout(() => {
      this.write().catch((error: unknown) => this.warn(`The history was not saved: ${String(error)}`))
    }, writeAfterMs)
  }

  /** One write at a time, each with what is newest when its turn comes. */
  private write(): Promise<void> {
    clearTimeout(this.timer)
    this.timer = undefined
    const act = async (): Promise<void> => {
      const stored = await this.stored
      bound(stored)
      await writeAtomic(this.file, JSON.stringify(stored))
    }
    const turn = this.writing.then(act, act)
    this.writing = turn.catch(() => undefined)
    return turn
  }

  private async load(): Promise<Stored> {
    const text = await readIfPresent(this.file)
    if (text === undefined) return { history: [], saved: [] }
    const parsed = parse(text)
    if (parsed !== undefined) return parsed
    await writeAtomic(`${this.file}.unreadable`, text)
    this.warn(`${this.file} can't be understood; it is kept with .unreadable at its end, and history starts afresh`)
    return { history: [], saved: [] }
  }
}

function bound(stored: Stored): void {
  let length = 0
  const keep = stored.history.findIndex((entry) => {
    length += entry.text.length
    return length > libraryLimits.length
  })
  if (keep !== -1) stored.history = stored.history.slice(0, keep)
}

function parse(text: string): Stored | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  const result = Stored.safeParse(value)
  return result.success ? result.data : undefined
}
