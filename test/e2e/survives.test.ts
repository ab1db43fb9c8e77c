import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sessionToken } from '../support/access.ts'
import { sallyport } from '../support/cli.ts'
import { type RunningDemo, startDemo } from '../support/demo.ts'
import { run, which } from '../support/run.ts'

/** A gateway whose disk fills and which is then killed: nothing runs unrecorded, nothing recorded is lost. A demo of its own. */
const mib = 1024 * 1024
let dataDir: string
let demo: RunningDemo | undefined
let mounted = false

/** A disk of its own for the recordings, small enough to fill; only root can make one. */
async function smallDisk(folder: string): Promise<boolean> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0 || which('mount') === undefined) return false
  await mkdir(folder, { recursive: true, mode: 0o711 })
  return (await run('mount', ['-t', 'tmpfs', '-o', 'size=128m,mode=700', 'sallyport-test', folder])).code === 0
}

const recordings = (): string => join(dataDir, 'gateway', 'recordings')

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'sallyport-survives-'))
  // As root, PostgreSQL runs as an account of its own, which must be able to pass through.
  await chmod(dataDir, 0o711)
  mounted = await smallDisk(recordings())
  demo = await startDemo({ dataDir })
}, 120_000)

afterAll(async () => {
  await demo?.stop()
  if (mounted) await run('umount', [recordings()])
  await rm(dataDir, { recursive: true, force: true })
}, 60_000)

/** Why the server ended the session, where it said so between two statements. */
const farewells = new WeakMap<pg.Client, string>()

async function session(): Promise<pg.Client> {
  if (demo === undefined) throw new Error('no demo')
  const { host, port, user, database, token } = await sessionToken(demo.ready, 'engineer', 'analytics-db')
  const client = new pg.Client({ host, port, user, database: database ?? 'analytics', password: token, ssl: false })
  // A session that is cut says so twice: in the server's words first, and then for its socket.
  client.on('error', (error) => {
    if (!farewells.has(client)) farewells.set(client, error.message)
  })
  await client.connect()
  return client
}

/** `ran` or why not. */
async function tried(client: pg.Client, sql: string): Promise<string> {
  try {
    await client.query(sql)
    return 'ran'
  } catch (error) {
    return farewells.get(client) ?? (error instanceof Error ? error.message : String(error))
  }
}

/** Runs a statement again and again until it is refused; resolves with why. What was running just then is told so as well. */
async function refusal(client: pg.Client, sql: string): Promise<string> {
  let answer = 'ran'
  await expect
    .poll(
      async () => {
        answer = await tried(client, sql)
        return answer
      },
      { timeout: 30_000 },
    )
    .not.toBe('ran')
  return answer
}

/** Opens a session, runs one statement, and tells how that went. */
async function triedAnew(sql: string): Promise<string> {
  const client = await session()
  try {
    return await tried(client, sql)
  } finally {
    await client.end()
  }
}

test('a full disk: nothing more runs, people are told why, and all goes on when there is space', async ({ skip }) => {
  if (!mounted || demo === undefined) return skip('needs root, to mount a small disk')
  const change = "UPDATE orders SET status = 'shipped' WHERE id = 1"
  const status = "SELECT status FROM orders WHERE id = 1 AND status <> 'shipped'"
  const direct = new pg.Client({ connectionString: demo.ready.targets?.['analytics-db'] })
  await direct.connect()
  const client = await session()
  const ballast = join(recordings(), 'ballast')
  try {
    expect(await tried(client, change)).toBe('ran')
    await writeFile(ballast, Buffer.alloc(100 * mib))
    expect(await refusal(client, status)).toMatch(/recording of this session could not be written/)
    await direct.query("UPDATE orders SET status = 'captured' WHERE id = 1")
    expect(await triedAnew(change)).toMatch(/can’t be recorded, so nothing was forwarded/)
    expect((await direct.query(status)).rows).toEqual([{ status: 'captured' }])
    await rm(ballast)
    await expect.poll(() => triedAnew(change), { timeout: 30_000 }).toBe('ran')
    expect((await direct.query(status)).rows).toEqual([])
  } finally {
    await rm(ballast, { force: true })
    await client.end()
    await direct.end()
  }
}, 120_000)

test('a killed gateway starts again in its folder, with what was recorded up to the kill', async () => {
  if (demo === undefined) throw new Error('no demo')
  const client = await session()
  const lost = new Promise((resolve) => client.once('end', resolve))
  expect(await tried(client, "SELECT id FROM orders WHERE id = 42 AND status <> 'before the kill'")).toBe('ran')
  await demo.kill()
  await lost
  demo = await startDemo({ dataDir })
  const { ready } = demo
  const verified = await sallyport(ready, 'auditor', ['audit', 'verify'])
  expect(verified.stderr).toBe('')
  expect(verified.code).toBe(0)
  const listed = JSON.parse((await sallyport(ready, 'auditor', ['sessions', '--json'])).stdout)
  const replayed = await Promise.all(
    listed.map(async ({ id }: { id: string }) => (await sallyport(ready, 'auditor', ['replay', id])).stdout),
  )
  expect(replayed.filter((text) => text.includes('before the kill'))).toHaveLength(1)
  const again = await session()
  expect(await tried(again, 'SELECT 1')).toBe('ran')
  await again.end()
}, 180_000)
