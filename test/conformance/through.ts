import { randomBytes } from 'node:crypto'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { startStack } from '../../cli/servers/stack.ts'
import { GatewayConfig } from '../../gateway/config.ts'
import type { Target } from '../../shared/link.ts'
import { type SessionToken, sessionToken } from '../support/access.ts'
import { type Server, startServer } from './server.ts'

/** Everybody may do everything, and nothing is masked: what is left is the gateway itself. */
export const allowAll = '@id("all")\n@reason("Everything is allowed.")\npermit (principal, action, resource);\n'

/** A gateway with its agent in front of `server`: one connection for each database, under its name. */
export interface Through {
  /** A session token for a connection, as a client would get one. Good for ten minutes. */
  token(database: string): Promise<SessionToken>
  close(): Promise<void>
}

/** Where a PostgreSQL listens on loopback, and how to sign in there. */
export type At = Pick<Server, 'port' | 'user' | 'password'>

export interface ThroughOptions {
  /** PEM: the native listener, and the gateway itself, speak TLS. */
  tls?: { cert: string; key: string }
  /** How the target is reached beyond its address. */
  target?: Partial<Pick<Extract<Target, { kind: 'postgres' }>, 'tls' | 'maxProtocol'>>
  /** Cedar in place of a policy that allows everything. */
  policy?: string
}

/** A new server, and a gateway in front of it; both are gone when `act` is done. */
export async function withGateway<T>(
  settings: Readonly<Record<string, string>>,
  databases: readonly string[],
  act: (server: Server, through: Through) => Promise<T>,
): Promise<T> {
  const server = await startServer(settings)
  try {
    const through = await startThrough(server, databases)
    try {
      return await act(server, through)
    } finally {
      await through.close()
    }
  } finally {
    await server.close()
  }
}

/** A gateway with a machine that may do everything, called as the database's own account. */
export async function startThrough(
  server: At,
  databases: readonly string[],
  { tls, target, policy = allowAll }: ThroughOptions = {},
): Promise<Through> {
  const dataDir = await mkdtemp(join(tmpdir(), 'sallyport-through-'))
  // Its store runs as an account of its own when this is root.
  await chmod(dataDir, 0o755)
  const policyDir = join(dataDir, 'policy')
  await mkdir(policyDir)
  await writeFile(join(policyDir, 'all.cedar'), policy)
  await writeFile(join(policyDir, 'classification.yaml'), 'classes: {}\n')
  // Called as the database's own account, so that a client that shows its user name shows the same one.
  const machine = {
    clientId: server.user,
    clientSecret: randomBytes(18).toString('hex'),
    name: server.user,
    groups: [],
  }
  const config = GatewayConfig.parse({
    name: 'Conformance',
    // The name that a certificate of tests is for.
    listen: { host: tls === undefined ? '127.0.0.1' : 'localhost', port: 0 },
    ...(tls === undefined ? {} : { tls }),
    native: { postgres: { host: '127.0.0.1', port: 0 } },
    dataDir: join(dataDir, 'gateway'),
    // Machines alone come here, and they do not ask it.
    upstream: { issuer: 'http://127.0.0.1:9', clientId: 'nobody', clientSecret: randomBytes(18).toString('hex') },
    machines: [machine],
    connections: databases.map((database) => ({
      name: database,
      kind: 'postgres',
      environment: 'production',
      target: {
        kind: 'postgres',
        host: '127.0.0.1',
        tls: { mode: 'disable' },
        database,
        ...account(server),
        ...target,
      },
    })),
    policyDir,
  })
  const log = pino({ level: process.env.SALLYPORT_LOG ?? 'fatal' }, pino.destination(2))
  const gateway = await startStack(config, log)
  const ready = {
    gateway: gateway.url,
    native: gateway.native,
    machines: { dba: machine },
    people: [],
    dataDir,
  }
  return {
    token: (database) => sessionToken(ready, 'dba', database),
    async close() {
      await gateway.close()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

function account({ port, user, password }: At): { port: number; user: string; password: string } {
  return { port, user, password }
}
