import { Duplex } from 'node:stream'
import type { SessionEnd } from '../../../../shared/link.ts'
import { type CancelRegistry, createCancelRegistry } from '../cancels.ts'
import type { CatalogSource, Snapshot, TargetCatalog } from '../catalog/catalog.ts'
import { servePostgres } from '../session.ts'
import { SaltedPasswords } from '../start/scram.ts'
import type { PostgresTarget } from '../start/tls.ts'
import type { TestPort } from './door.ts'

/** One leg of a session in memory: what is written is handed to `hear` at once; what the peer says comes by `push`. */
export class Leg extends Duplex {
  /** The session ended its half. */
  over = false
  /** The peer is gone: what is written goes nowhere. */
  #gone = false
  readonly #hear: (chunk: Buffer) => void
  #waiting: (() => void) | undefined
  #stuck = false

  constructor(hear: (chunk: Buffer) => void) {
    super({ allowHalfOpen: true })
    this.#hear = hear
    this.on('error', () => {})
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    // A copy: the writer may use its memory again.
    if (!this.#gone) this.#hear(Buffer.from(chunk))
    if (this.#stuck) this.#waiting = done
    else done()
  }

  /** The peer does not read: what is written to it waits. */
  set stuck(stuck: boolean) {
    this.#stuck = stuck
    const done = this.#waiting
    if (stuck || done === undefined) return
    this.#waiting = undefined
    done()
  }

  override _final(done: () => void): void {
    this.over = true
    // A peer that is told goodbye leaves.
    if (!this.#gone) this.push(null)
    done()
  }

  /** The peer says something. False when nobody listens any more. */
  say(bytes: Buffer): boolean {
    if (this.#gone || this.destroyed || this.over) return false
    this.push(bytes)
    return true
  }

  /** The peer is gone at once, as when its process is killed. */
  kill(): void {
    this.#gone = true
    this.destroy(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }))
  }

  /** The peer closes its half in order. */
  finish(): void {
    if (!this.#gone && !this.destroyed) this.push(null)
  }
}

export interface MemorySession {
  client: Leg
  /** The target's leg, from the moment that it is dialled. */
  target: Leg | undefined
  end: SessionEnd | undefined
  stop(reason: string): void
  done: Promise<SessionEnd>
}

export interface MemoryOptions {
  port: TestPort
  catalog: Snapshot
  toClient(chunk: Buffer): void
  toTarget(chunk: Buffer): void
  /** A connection beside the session's, that cancels what runs in it. */
  toCancel?(chunk: Buffer): void
  /** How its definitions change, where they do. */
  changes?: Partial<TargetCatalog>
  /** Of several sessions, where they share one. */
  cancels?: CancelRegistry
  patienceMs?: number
}

export const memoryTarget: PostgresTarget = {
  kind: 'postgres',
  host: 'target.test',
  port: 5432,
  database: 'orders',
  user: 'app',
  password: 'secret',
  tls: { mode: 'disable' },
}

/** An inspector between two legs in memory, with a catalog that does not change by itself. */
export function memorySession({
  port,
  catalog,
  toClient,
  toTarget,
  toCancel = () => {},
  cancels = createCancelRegistry(),
  patienceMs,
  changes = {},
}: MemoryOptions): MemorySession {
  const client = new Leg(toClient)
  const session: MemorySession = {
    client,
    target: undefined,
    end: undefined,
    stop: (reason) => served.end(reason),
    done: Promise.resolve({ reason: '', bytesIn: 0, bytesOut: 0 }),
  }
  const served = servePostgres({
    client,
    dial: () => {
      if (session.target !== undefined) return Promise.resolve(new Leg(toCancel))
      session.target = new Leg(toTarget)
      return Promise.resolve(session.target)
    },
    target: memoryTarget,
    catalogs: fixedCatalog(catalog, changes),
    cancels,
    port,
    ...(patienceMs === undefined ? {} : { patienceMs }),
  })
  session.done = served.done.then((end) => {
    session.end = end
    return end
  })
  return session
}

/** Everything that can happen without the world outside has happened. */
export function quiet(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

export function fixedCatalog(current: Snapshot, changes: Partial<TargetCatalog> = {}): CatalogSource {
  const catalog: TargetCatalog = {
    current,
    salted: new SaltedPasswords(),
    outdated: false,
    outdate: () => {},
    outdatedBut: () => false,
    committing: () => () => {},
    ready: () => Promise.resolve(current),
    refresh: () => Promise.resolve(current),
    keepFresh: () => {},
  }
  // Getters stay what they are.
  Object.defineProperties(catalog, Object.getOwnPropertyDescriptors(changes))
  return { get: () => catalog, changing: () => {}, changed: () => {}, close: () => Promise.resolve() }
}
