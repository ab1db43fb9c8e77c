import { ORPCError } from '@orpc/client'
import type { AccessRequest, Connection, GatewayEvent } from '../../../shared/api/models.ts'
import type { RecordingEvent } from '../../../shared/recording.ts'
import {
  type AuthState,
  type DeepLink,
  type Endpoint,
  type ExportEvent,
  type LinkState,
  Settings,
  type UpdateState,
} from '../../../shared/rpc/contract.ts'
import type { DesktopState } from '../../../shared/rpc/desktop.ts'
import type { NoticeEvent } from '../../../shared/rpc/notice.ts'
import { desktop as desktopState } from './desktop.ts'
import * as data from './fixtures.ts'

/** A value that streams follow: what it is now, then every change. */
export class Cell<T> {
  #value: T
  #wake = Promise.withResolvers<void>()

  constructor(value: T) {
    this.#value = value
  }

  get(): T {
    return this.#value
  }

  set(value: T): void {
    this.#value = value
    this.#wake.resolve()
    this.#wake = Promise.withResolvers<void>()
  }

  async *follow(signal?: AbortSignal): AsyncGenerator<T, void, void> {
    while (!signal?.aborted) {
      const changed = this.#wake.promise
      yield this.#value
      await Promise.race([changed, aborted(signal)])
    }
  }

  changed(): Promise<void> {
    return this.#wake.promise
  }
}

function aborted(signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) resolve()
    signal?.addEventListener('abort', () => resolve(), { once: true })
  })
}

const linus = { id: 'linus', name: 'Linus Falk', groups: ['engineers', 'on-call'] }

export function createFixture() {
  const auth = new Cell<AuthState>({
    state: 'signed-in',
    gateway: 'https://gateway.harborline.example',
    gatewayName: 'Harborline',
    person: linus,
  })
  const link = new Cell<LinkState>({ state: 'up', latencyMs: 9, since: data.at(-60_000) })
  const settings = new Cell<Settings>(Settings.parse({ theme: 'dark', pinned: ['web-1'] }))
  const update = new Cell<UpdateState>({ state: 'current', checkedAt: data.at(-25 * 60_000) })
  const requests = new Cell<readonly AccessRequest[]>(data.requests)
  const connections = new Cell<Connection[]>(data.connections)
  const latest = new Cell<GatewayEvent>({ type: 'hello', id: '0' })
  const exports = new Cell(0)
  const runs = new Cell<{ cancelled: number }>({ cancelled: 0 })
  const endpoints = new Cell<Endpoint[]>(data.endpoints)
  const desktop = new Cell<DesktopState>(desktopState)
  const sqlRecording = new Cell<readonly RecordingEvent[]>(data.sqlRecording)
  let event = 0

  function change(id: string, update: (request: AccessRequest) => AccessRequest): AccessRequest {
    const next = requests.get().map((r) => (r.id === id ? update(r) : r))
    requests.set(next)
    const request = next.find((r) => r.id === id)
    if (request === undefined) throw new Error(`no request ${id}`)
    event += 1
    latest.set({ type: 'request', id: String(event), request })
    return request
  }

  const find = (connection: string): Endpoint => {
    const found = endpoints.get().find((e) => e.connection === connection)
    if (found === undefined) throw new Error(`no endpoint of ${connection}`)
    return found
  }
  const put = (endpoint: Endpoint): Endpoint => {
    endpoints.set(endpoints.get().map((e) => (e.connection === endpoint.connection ? endpoint : e)))
    return endpoint
  }
  const setEndpoint = (connection: string, change: Partial<Endpoint>): Endpoint =>
    put({ ...find(connection), ...change })

  return {
    auth,
    link,
    settings,
    requests,
    connections,
    endpoints,
    desktop,
    sqlRecording,
    person: linus,
    expire: () =>
      auth.set({
        state: 'expired',
        gateway: 'https://gateway.harborline.example',
        gatewayName: 'Harborline',
        person: linus,
      }),
    addRequest: (request: AccessRequest) => {
      requests.set([request, ...requests.get()])
      return change(request.id, (r) => r)
    },
    decide: (id: string, verdict: 'approve' | 'deny', reason: string) =>
      change(id, (r) => {
        const reviews = [...r.reviews, { by: 'dana', verdict, reason, at: data.at(0) }]
        const enough = reviews.filter((review) => review.verdict === 'approve').length >= r.approval.count
        const state = verdict === 'deny' ? 'denied' : enough ? 'approved' : 'pending'
        return { ...r, reviews, state, canReview: false, ...(state === 'pending' ? {} : { decidedAt: data.at(0) }) }
      }),
    count: (id: string) => change(id, (r) => ({ ...r, rowCount: { rows: 318, ms: 41, at: data.at(0), by: 'linus' } })),
    remind: (id: string) =>
      change(id, ({ remindFrom: _, ...r }) => ({ ...r, remindedAt: data.at(0), remindFrom: data.at(300_000) })),
    cancel: (id: string) => change(id, (r) => ({ ...r, state: 'cancelled' })),
    notices: new Cell<NoticeEvent>({ type: 'waiting', requests: [] }),
    events: (signal?: AbortSignal) => latest.follow(signal),
    deepLinks: new Cell<DeepLink | undefined>(undefined),
    /** An export that gets halfway, and waits there until it is let go on or is left. */
    exported: async function* (signal?: AbortSignal): AsyncGenerator<ExportEvent, void, void> {
      yield { type: 'progress', rows: 25_000, total: 50_000, bytes: 3_400_000 }
      await Promise.race([exports.changed(), aborted(signal)])
      if (!signal?.aborted) yield { type: 'done', rows: 50_000, bytes: 6_800_000, file: 'customers.csv' }
    },
    finishExport: () => exports.set(exports.get() + 1),
    rows: (from: number, to: number) => {
      const total = 50_000
      const rows = []
      for (let i = from; i < Math.min(to, total); i += 1) {
        rows.push([
          String(40_122 + i),
          ['Lena Fischer', 'Marco Bianchi', 'Aoife Byrne'][i % 3] ?? '',
          'l•••@•••.com',
          `•••• •••• •••• ${4417 + (i % 50)}`,
          String(884_213 + i),
          i % 7 === 0 ? null : 'captured',
          String(12_490 + i),
        ])
      }
      return { rows, total, complete: true, long: [] }
    },
    cancelRun: () => runs.set({ cancelled: runs.get().cancelled + 1 }),
    runs,
    update,
    setEndpoint,
    /** Port 12023 is some other program's. */
    openEndpoint: (connection: string, port?: number): Endpoint => {
      const { problem: _, freePort: __, ...before } = find(connection)
      const wanted = port ?? before.port
      if (wanted === 12023) {
        setEndpoint(connection, { problem: data.taken, freePort: 12024 })
        throw new ORPCError('PROBLEM', { status: 500, message: data.taken.message, data: data.taken })
      }
      return put({ ...before, port: wanted, open: true, clients: 0 })
    },
  }
}

export type Fixture = ReturnType<typeof createFixture>
