import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import type { DefinitionChange, SessionSpec } from '../../shared/link.ts'
import type { LocalAgent, Log } from '../services.ts'
import type { Listener } from '../store/listener.ts'

export interface DefinitionsOptions {
  agent: Pick<LocalAgent, 'definitionsChanging' | 'definitionsChanged'>
  listener: Listener
  log: Log
}

/** A process of this gateway that reads catalogs: its own agent, or that of a worker. */
export interface CatalogReader {
  /** See AgentLink. Resolves when it knows; never rejects. */
  definitionsChanging(change: DefinitionChange): Promise<void> | void
  definitionsChanged(change: DefinitionChange | undefined): void
}

/** What a session's port has of it. */
export type ChangePort = Pick<Definitions, 'changing' | 'changed'>

const channel = 'sallyport_definitions'
const Told = z.object({
  from: z.uuid(),
  id: z.string(),
  host: z.string(),
  port: z.number().int(),
  database: z.string(),
})

/**
 * Changes of the definitions of PostgreSQL targets, between all who look names up there. The processes of one gateway know of a change
 * before it can be committed; other replicas hear of it when it is, by a hint that may be late or lost.
 */
export class Definitions {
  readonly #options: DefinitionsOptions
  readonly #me = randomUUID()
  readonly #readers: Set<CatalogReader>
  readonly #underWay = new Map<string, { change: DefinitionChange; by: CatalogReader }>()
  /** What is being told to the replicas, by database; and what came meanwhile. */
  readonly #telling = new Map<string, DefinitionChange | undefined>()
  #unsubscribe: (() => void) | undefined

  constructor(options: DefinitionsOptions) {
    this.#options = options
    this.#readers = new Set([options.agent])
  }

  /** Listens for what is changed through other replicas. */
  async start(): Promise<void> {
    this.#unsubscribe = await this.#options.listener.subscribe(channel, (payload) => {
      // After a reconnect nobody knows what was missed.
      const told = payload === '' ? undefined : Told.parse(JSON.parse(payload))
      if (told?.from === this.#me) return
      for (const reader of this.#readers) reader.definitionsChanged(told)
    })
  }

  close(): void {
    this.#unsubscribe?.()
  }

  /** One more process. Resolves when it knows of all that is under way; it may not serve before. */
  async add(reader: CatalogReader): Promise<void> {
    this.#readers.add(reader)
    await Promise.all([...this.#underWay.values()].map(({ change }) => reader.definitionsChanging(change)))
  }

  remove(reader: CatalogReader): void {
    this.#readers.delete(reader)
  }

  /** `by` is told by itself. Resolves when all the others are; undefined: there are none, or they know already. */
  changing(
    { sessionId: id, target }: Pick<SessionSpec, 'sessionId' | 'target'>,
    by: CatalogReader = this.#options.agent,
  ): Promise<void> | undefined {
    if (target.kind !== 'postgres') return undefined
    const { host, port, database } = target
    const change = { id, host, port, database }
    this.#underWay.set(id, { change, by })
    const told = [...this.#readers].flatMap((reader) =>
      reader === by ? [] : (reader.definitionsChanging(change) ?? []),
    )
    return told.length === 0 ? undefined : Promise.all(told).then(() => undefined)
  }

  /** The change that a session announced is over; without one nothing happens. */
  changed(id: string): void {
    const found = this.#underWay.get(id)
    if (found === undefined) return
    this.#underWay.delete(id)
    const { change, by } = found
    for (const reader of this.#readers) if (reader !== by) reader.definitionsChanged(change)
    const database = JSON.stringify([change.host, change.port, change.database])
    const isTelling = this.#telling.has(database)
    this.#telling.set(database, change)
    if (!isTelling) void this.#tellReplicas(database)
  }

  /** One at a time for each database, so that a thousand changes in a row are no thousand hints. */
  async #tellReplicas(database: string): Promise<void> {
    const { listener, log } = this.#options
    for (let change = this.#telling.get(database); change !== undefined; change = this.#telling.get(database)) {
      this.#telling.set(database, undefined)
      try {
        await listener.notify(channel, JSON.stringify({ from: this.#me, ...change }))
      } catch (error) {
        log.warn({ err: error }, 'other replicas could not be told that definitions of a target changed')
      }
    }
    this.#telling.delete(database)
  }
}
