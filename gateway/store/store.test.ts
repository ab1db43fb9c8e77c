import { randomBytes } from 'node:crypto'
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { sql } from 'kysely'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { quiet, startTestStore, type TestStore } from '../testing/store.ts'
import { startEmbedded } from './embedded.ts'
import { loadOrCreateKey } from './keys.ts'
import { migrate, migrations } from './migrations.ts'
import { createSealer } from './seal.ts'
import { dataKey, readOrCreateSecret } from './secret-file.ts'
import { openStore } from './store.ts'

let store: TestStore
beforeAll(async () => {
  store = await startTestStore()
})
afterAll(() => store?.close())

test('a connection that the store closes in the middle of a transaction fails that transaction alone', async () => {
  const broken = await openStore(store.url, quiet)
  try {
    const lost = broken.db.transaction().execute(async (trx) => {
      const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(trx)
      const ended = new Promise((done) => setTimeout(done, 50))
      await sql`select pg_terminate_backend(${rows[0]?.pid}, 5000)`.execute(store.store.db)
      // The connection breaks while no statement of it runs; an error that nobody listens to would end the process.
      await ended
      await sql`select 1`.execute(trx)
    })
    await expect(lost).rejects.toThrow()
    await expect(broken.ping()).resolves.toBeUndefined()
  } finally {
    await broken.close()
  }
})

describe('a store that can’t be used is named, with what to do, and without its password', () => {
  const at = (change: (url: URL) => void) => {
    const url = new URL(store.url)
    change(url)
    return openStore(url.href, quiet).then(
      () => 'opened',
      (error: unknown) => String(error),
    )
  }
  const password = () => new URL(store.url).password

  test.each<[string, (url: URL) => void, RegExp]>([
    [
      'nothing answers',
      (url) => {
        url.port = '1'
      },
      /127\.0\.0\.1:1, database .*ECONNREFUSED.*Check host and port/,
    ],
    // Of a name with several addresses the driver's error has no words of its own.
    [
      'nothing answers at any address',
      (url) => {
        url.host = 'localhost:1'
      },
      /localhost:1.*ECONNREFUSED.*Check host/,
    ],
    [
      'there is no such database',
      (url) => {
        url.pathname = '/gone'
      },
      /database gone.*does not exist.*Create the database/,
    ],
    [
      'it has no TLS',
      (url) => {
        url.search = '?sslmode=verify-full'
      },
      /does not support SSL/,
    ],
  ])('%s', async (_what, change, expected) => {
    const said = await at(change)
    expect(said).toMatch(expected)
    expect(said).not.toContain(password())
  })

  test('the password is wrong', async () => {
    await expect(
      at((url) => {
        url.password = 'hunter2'
      }),
    ).resolves.toMatch(/^(?!.*hunter2).*password authentication failed.*Check user and password/)
  })

  test('its user may not create tables', async () => {
    await sql`create role guest login password 'guest'`.execute(store.store.db)
    await sql`create database guests`.execute(store.store.db)
    await expect(
      at((url) => {
        url.username = url.password = 'guest'
        url.pathname = '/guests'
      }),
    ).resolves.toMatch(/permission denied.*has to own the database/)
  })
})

describe('migrations', () => {
  const onEmptyDatabase = async (name: string, run: (pool: pg.Pool) => Promise<void>) => {
    const admin = new pg.Pool({ connectionString: store.url, max: 1 })
    await admin.query(`create database ${name}`)
    const pool = new pg.Pool({ connectionString: store.url.replace(/[^/]+$/, name) })
    try {
      await run(pool)
    } finally {
      await pool.end()
      await admin.end()
    }
  }

  test('replicas that start together on an empty store take turns', () =>
    onEmptyDatabase('together', async (pool) => {
      await Promise.all([migrate(pool), migrate(pool), migrate(pool)])
      const { rows } = await pool.query('select id from migrations order by id')
      expect(rows.map((row) => row.id)).toEqual(migrations.map(({ id }) => id))
    }))

  test('a step that fails leaves nothing behind', () =>
    onEmptyDatabase('failing', async (pool) => {
      const bad = { id: 2, name: 'bad', sql: 'create table half (a int); select nonsense' }
      await expect(migrate(pool, [{ id: 1, name: 'good', sql: 'create table whole (a int)' }, bad])).rejects.toThrow()
      const { rows } = await pool.query("select to_regclass('whole') as whole, to_regclass('half') as half")
      expect(rows).toEqual([{ whole: null, half: null }])
    }))

  test('a store that is newer than the gateway is left alone', () =>
    onEmptyDatabase('newer', async (pool) => {
      await migrate(pool, [
        { id: 1, name: 'a', sql: '' },
        { id: 2, name: 'b', sql: '' },
      ])
      await expect(migrate(pool, [{ id: 1, name: 'a', sql: '' }])).rejects.toThrow(/Start the newer gateway/)
    }))

  test('ids count from 1 without gaps', () => {
    expect(migrations.map(({ id }) => id)).toEqual(migrations.map((_, index) => index + 1))
  })
})

test('the audit log can be added to, never changed', async () => {
  const { db } = store.store
  const row = { seq: 1, at: new Date(), actor: 'a', action: 'b', subject: 'c', detail: '{}' }
  await db
    .insertInto('audit')
    .values({ ...row, prev_hash: '0', hash: '1', signature: '' })
    .execute()
  await expect(db.updateTable('audit').set({ actor: 'x' }).execute()).rejects.toThrow(/append only/)
  await expect(db.deleteFrom('audit').execute()).rejects.toThrow(/append only/)
})

test('replicas agree on one key, and the store does not show it', async () => {
  const { db } = store.store
  const make = () => loadOrCreateKey(db, store.sealer, 'test/key', () => randomBytes(8).toString('hex'))
  const [first, ...others] = await Promise.all([make(), make(), make()])
  expect(new Set(others)).toEqual(new Set([first]))
  const row = await db.selectFrom('keys').select('key_sealed').where('name', '=', 'test/key').executeTakeFirstOrThrow()
  expect(row.key_sealed.toString('latin1')).not.toContain(first)
})

test('a notification reaches every listener, until it unsubscribes', async () => {
  const other = await openStore(store.url, quiet)
  try {
    const heard: string[] = []
    const stop = await other.listener.subscribe('test_channel', (payload) => heard.push(payload))
    await store.store.listener.notify('test_channel', 'one')
    await expect.poll(() => heard).toEqual(['one'])
    stop()
    const again: string[] = []
    await other.listener.subscribe('test_channel', (payload) => again.push(payload))
    await store.store.listener.notify('test_channel', 'two')
    await expect.poll(() => again).toEqual(['two'])
    expect(heard).toEqual(['one'])
  } finally {
    await other.close()
  }
})

test('a listener that lost its connection comes back and says that it may have missed something', async () => {
  const other = await openStore(store.url, quiet)
  try {
    const heard: string[] = []
    await other.listener.subscribe('lost_channel', (payload) => heard.push(payload))
    const admin = new pg.Client({ connectionString: store.url })
    await admin.connect()
    await admin.query('select pg_terminate_backend(pid) from pg_stat_activity where query = \'listen "lost_channel"\'')
    await admin.end()
    await expect.poll(() => heard).toEqual([''])
    await store.store.listener.notify('lost_channel', 'back')
    await expect.poll(() => heard).toEqual(['', 'back'])
  } finally {
    await other.close()
  }
})

describe('seal', () => {
  const sealer = createSealer(randomBytes(32))

  test('opens what it sealed, only in its place and unchanged', () => {
    const sealed = sealer.seal('geheim ✓', 'connections/a')
    expect(sealer.open(sealed, 'connections/a')).toBe('geheim ✓')
    expect(() => sealer.open(sealed, 'connections/b')).toThrow(/can't be decrypted/)
    for (let at = 1; at < sealed.length; at += 7) {
      const changed = Buffer.from(sealed)
      changed.writeUInt8(changed.readUInt8(at) ^ 1, at)
      expect(() => sealer.open(changed, 'connections/a')).toThrow()
    }
    expect(() => createSealer(randomBytes(32)).open(sealed, 'connections/a')).toThrow(/data key/)
  })

  test('never makes the same bytes twice', () => {
    expect(sealer.seal('x', 'c').equals(sealer.seal('x', 'c'))).toBe(false)
  })
})

describe('secret files', () => {
  test('are made once, for their owner only; one that others can read is refused', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'sallyport-secret-'))
    const file = join(dir, 'deep', 'secret.key')
    const made = await Promise.all(Array.from({ length: 20 }, (_, i) => readOrCreateSecret(file, () => `made by ${i}`)))
    expect(new Set(made).size).toBe(1)
    expect(await readdir(dirname(file))).toEqual(['secret.key'])
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    await chmod(file, 0o644)
    await expect(readOrCreateSecret(file, () => 'x')).rejects.toThrow(/chmod 600/)
    await rm(dir, { recursive: true })
  })

  test('a data key from the environment wins; one that is none is refused in words', async () => {
    const key = randomBytes(32)
    expect((await dataKey('/nowhere', key.toString('base64'))).equals(key)).toBe(true)
    await expect(dataKey('/nowhere', 'c2hvcnQ=')).rejects.toThrow(/openssl rand/)
  })
})

describe('the embedded PostgreSQL', () => {
  test('keeps its data, listens on loopback alone, and one gateway at a time uses it', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'sallyport-embedded-'))
    const first = await startEmbedded(dir, quiet)
    const opened = await openStore(first.url, quiet)
    await opened.db
      .insertInto('keys')
      .values({ name: 'kept', key_sealed: Buffer.from('x') })
      .execute()
    const client = new pg.Client({ connectionString: first.url })
    await client.connect()
    const { rows } = await client.query('show listen_addresses')
    await client.end()
    expect(rows).toEqual([{ listen_addresses: '127.0.0.1' }])
    expect((await stat(join(dir, 'postgres.password'))).mode & 0o777).toBe(0o600)
    await expect(startEmbedded(dir, quiet)).rejects.toThrow(/Another gateway is running/)

    // A gateway that was killed: its connections are gone, its PostgreSQL is not.
    await opened.close()
    // It notices a moment later that they are.
    const second = await vi.waitFor(() => startEmbedded(dir, quiet), 10_000)
    const again = await openStore(second.url, quiet)
    const kept = await again.db.selectFrom('keys').select('name').execute()
    expect(kept).toEqual([{ name: 'kept' }])
    await again.close()
    await second.stop()
    await expect(readFile(join(dir, 'postgres', 'postmaster.pid'))).rejects.toThrow(/ENOENT/)
    await rm(dir, { recursive: true })
  })

  test.runIf(process.getuid?.() === 0)('says so when its user can’t get to the data folder', async () => {
    const closed = await mkdtemp(join(tmpdir(), 'sallyport-closed-'))
    await expect(startEmbedded(join(closed, 'data'), quiet)).rejects.toThrow(`can't pass through ${closed}`)
    await rm(closed, { recursive: true })
  })

  test('says what PostgreSQL said when it does not start', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'sallyport-broken-'))
    const server = await startEmbedded(dir, quiet)
    await server.stop()
    await writeFile(join(dir, 'postgres', 'postgresql.conf'), 'nonsense = 1\n')
    await expect(startEmbedded(dir, quiet)).rejects.toThrow(/did not start:[\s\S]*nonsense/)
    await rm(dir, { recursive: true })
  })
})
