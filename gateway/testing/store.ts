import { randomBytes } from 'node:crypto'
import { chmod, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { madeOnce } from '../../test/support/cluster.ts'
import type { Log } from '../services.ts'
import { startEmbedded } from '../store/embedded.ts'
import { createSealer, type Sealer } from '../store/seal.ts'
import { openStore, type Store } from '../store/store.ts'

/** For tests: a log that keeps nothing. */
export const quiet: Log = { info() {}, warn() {}, error() {} }

/** For tests: a real store in a temporary folder. */
export interface TestStore {
  store: Store
  url: string
  sealer: Sealer
  dataDir: string
  /** Empties every table; also those that refuse it otherwise. */
  clear(): Promise<void>
  close(): Promise<void>
}

export async function startTestStore(): Promise<TestStore> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-gateway-'))
  // The server's account must be able to pass through.
  await chmod(folder, 0o711)
  const dataDir = join(folder, 'data')
  const how = await readFile(join(import.meta.dirname, '..', 'store', 'embedded.ts'), 'utf8')
  await madeOnce(dataDir, [how], async () => {
    await mkdir(dataDir)
    await (await startEmbedded(dataDir, quiet, { durable: false })).stop()
  })
  const server = await startEmbedded(dataDir, quiet, { durable: false })
  const store = await openStore(server.url, quiet)
  return {
    store,
    url: server.url,
    sealer: createSealer(randomBytes(32)),
    dataDir,
    clear: async () => {
      // Notes what the audit log of the last test ended with.
      await rm(join(dataDir, 'audit-head.json'), { force: true })
      await store.db.transaction().execute(async (trx) => {
        await sql`set local session_replication_role = replica`.execute(trx)
        await sql`truncate sessions, session_tokens, tunnel_tickets, requests, reviews, grants, audit, events, outbox, keys, identities`.execute(
          trx,
        )
      })
    },
    close: async () => {
      await store.close()
      await server.stop()
      await rm(folder, { recursive: true, maxRetries: 5 })
    },
  }
}
