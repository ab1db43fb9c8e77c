import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import type { ConnectionRef } from '../shared/connection.ts'
import type { Target } from '../shared/link.ts'
import { startHttp } from './http/service.ts'
import { endLeftovers } from './leftovers.ts'
import type { Log } from './log.ts'
import { startOidc } from './oidc/provider.ts'
import { demoPeople, type MachineRole, machineGroups, type machineRoles } from './people.ts'
import { freePort } from './ports.ts'
import { startPostgres } from './postgres/server.ts'
import { type DemoDesktop, startDesktop } from './rdp/desktop.ts'
import { type DemoSsh, startSsh } from './ssh/host.ts'

export interface DemoConnection extends ConnectionRef {
  description: string
  target: Target
}

export interface DemoMachine {
  clientId: string
  clientSecret: string
  name: string
  groups: string[]
}

/** Everything outside the gateway that the demo needs: targets with data, people, machines, policy. */
export interface World {
  connections: DemoConnection[]
  upstream: { issuer: string; clientId: string; clientSecret: string; groupsClaim: string }
  people: { username: string; name: string; password: string; groups: string[] }[]
  machines: Record<MachineRole, DemoMachine>
  /** Direct addresses of the targets, with credentials: for benchmarks and tests only. */
  targets: {
    'orders-db': string
    'analytics-db': string
    'web-1': string
    'orders-api': string
    webKeyFile: string
    'desk-1'?: string
  }
  policyDir: string
  close(): Promise<void>
}

export async function startWorld(options: { dataDir: string; log: Log }): Promise<World> {
  const { dataDir, log } = options
  // PostgreSQL and the SSH host run as other accounts when this is root: they must be able to pass through.
  await mkdir(dataDir, { recursive: true, mode: 0o711 })
  await chmod(dataDir, 0o711)
  await endLeftovers(dataDir, log)
  const secrets = await worldSecrets(join(dataDir, 'demo.json'))
  const starting = [
    startPostgres(dataDir, log),
    startSsh(dataDir, log),
    startDesktop(dataDir, log),
    startOidc(secrets.password, secrets.oidcPort, log),
  ] as const
  const [database, ssh, desktop, oidc] = await Promise.all(starting).catch(async (error: unknown) => {
    // Nothing is left running behind a world that did not come up.
    for (const part of await Promise.allSettled(starting)) if (part.status === 'fulfilled') await part.value?.close()
    throw error
  })
  const http = await startHttp(database, secrets.bearer)
  const url = (name: string) =>
    `postgres://${database.user}:${database.password}@${database.host}:${database.port}/${name}`
  return {
    connections: [
      {
        name: 'orders-db',
        kind: 'postgres',
        environment: 'production',
        tags: ['orders', 'pii'],
        description: 'Customers, orders and payments',
        target: postgresTarget(database, database.databases.orders),
      },
      {
        name: 'analytics-db',
        kind: 'postgres',
        environment: 'staging',
        tags: ['analytics'],
        description: 'The same tables, scrambled, for reports',
        target: postgresTarget(database, database.databases.analytics),
      },
      {
        name: 'web-1',
        kind: 'ssh',
        environment: 'production',
        tags: ['checkout'],
        description: 'Checkout front end',
        target: sshTarget(ssh),
      },
      ...(desktop === undefined ? [] : [deskConnection(desktop)]),
    ],
    upstream: { issuer: oidc.issuer, clientId: oidc.clientId, clientSecret: oidc.clientSecret, groupsClaim: 'groups' },
    people: demoPeople.map(({ username, name, groups }) => ({
      username,
      name,
      password: secrets.password,
      groups: [...groups],
    })),
    machines: machinesFrom(secrets.machines),
    targets: {
      'orders-db': url(database.databases.orders),
      'analytics-db': url(database.databases.analytics),
      'web-1': `ssh://${ssh.user}@${ssh.host}:${ssh.port}`,
      'orders-api': http.url,
      webKeyFile: join(dataDir, 'web-1', 'client_key'),
      ...(desktop === undefined ? {} : { 'desk-1': deskUrl(desktop) }),
    },
    policyDir: join(dirname(fileURLToPath(import.meta.url)), 'policy'),
    close: async () => {
      await Promise.all([http.close(), ssh.close(), desktop?.close(), oidc.close()])
      await database.close()
    },
  }
}

function postgresTarget(
  server: { host: string; port: number; user: string; password: string },
  database: string,
): Target {
  const { host, port, user, password } = server
  return { kind: 'postgres', host, port, database, user, password, tls: { mode: 'disable' } }
}

function sshTarget({ host, port, user, privateKey, hostKeys }: DemoSsh): Target {
  return { kind: 'ssh', host, port, user, privateKey, hostKeys }
}

function deskUrl({ host, port, user, password }: DemoDesktop): string {
  return `rdp://${user}:${password}@${host}:${port}`
}

function deskConnection({ host, port, user, password, certificates }: DemoDesktop): DemoConnection {
  return {
    name: 'desk-1',
    kind: 'rdp',
    environment: 'production',
    tags: ['checkout'],
    description: 'Stock desk',
    target: { kind: 'rdp', host, port, user, domain: '', password, tls: { mode: 'pinned', certificates } },
  }
}

const Secrets = z.object({
  password: z.string(),
  /** People are known by their provider's address, so it stays the same from start to start. */
  oidcPort: z.number().int(),
  bearer: z.string(),
  machines: z.object({
    engineer: z.string(),
    dba: z.string(),
    oncall: z.string(),
    contractor: z.string(),
    auditor: z.string(),
  }),
})
type Secrets = z.infer<typeof Secrets>

/** Made once for a data folder, so that a restarted demo keeps its password. */
async function worldSecrets(file: string): Promise<Secrets> {
  if (existsSync(file)) return Secrets.parse(JSON.parse(await readFile(file, 'utf8')))
  const secret = () => randomBytes(24).toString('base64url')
  const made: Secrets = {
    password: `harbor-${randomBytes(5).toString('hex')}`,
    oidcPort: await freePort(),
    bearer: secret(),
    machines: { engineer: secret(), dba: secret(), oncall: secret(), contractor: secret(), auditor: secret() },
  }
  await writeFile(file, JSON.stringify(made), { mode: 0o600 })
  return made
}

function machinesFrom(secrets: Record<MachineRole, string>): Record<MachineRole, DemoMachine> {
  const machine = (role: MachineRole): DemoMachine => ({
    clientId: `demo-${role}`,
    clientSecret: secrets[role],
    name: `${role} job`,
    groups: [...machineGroups[role]],
  })
  return {
    engineer: machine('engineer'),
    dba: machine('dba'),
    oncall: machine('oncall'),
    contractor: machine('contractor'),
    auditor: machine('auditor'),
  } satisfies Record<(typeof machineRoles)[number], DemoMachine>
}
