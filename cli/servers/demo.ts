import { chmod, mkdir, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { startWorld, type World } from '../../demo/world.ts'
import { GatewayConfig } from '../../gateway/config.ts'
import type { Gateway } from '../../gateway/gateway.ts'
import { openClients } from './clients.ts'
import { serverLog } from './log.ts'
import type { DemoOptions } from './options.ts'
import { onStop, ownProcessEnd } from './signals.ts'
import { startStack } from './stack.ts'

/** `sallyport demo`: the world, the gateway and, unless headless, the client. Serves until it is told to stop. */
export async function runDemo(options: DemoOptions): Promise<void> {
  ownProcessEnd()
  const dataDir = resolve(options.data ?? defaultDataDir())
  await mkdir(dataDir, { recursive: true, mode: 0o711 })
  // PostgreSQL and the SSH host run as accounts of their own when this is root; they must be able to pass through.
  if (process.getuid?.() === 0) await chmod(dataDir, (await stat(dataDir)).mode | 0o011)
  const quiet = options.json === true || options.headless === true
  const log = serverLog(quiet ? 'stderr' : { file: join(dataDir, 'demo.log') })
  if (!quiet) say(`Starting the demo in ${dataDir} (its log is demo.log there) …`)

  const stops: (() => Promise<void>)[] = []
  const stop = async () => {
    for (const close of stops.reverse()) await close()
  }
  try {
    const world = await startWorld({ dataDir: join(dataDir, 'world'), log: log.child({ part: 'demo' }) })
    stops.push(() => world.close())
    const gateway = await startStack(demoConfig(world, join(dataDir, 'gateway'), options), log)
    stops.push(() => gateway.close())
    if (options.json === true) process.stdout.write(`${JSON.stringify(ready(world, gateway, dataDir, options))}\n`)
    else announce(world, gateway)
    if (!quiet) {
      const clients = await openClients({ shell: options.shell, gateway: gateway.url, dataDir, log })
      stops.push(() => clients.close())
    }
  } catch (error) {
    await stop()
    throw error
  }
  onStop(stop)
}

function demoConfig(world: World, dataDir: string, options: DemoOptions): GatewayConfig {
  const listen = (offset: number) => ({ host: '127.0.0.1', port: options.port === 0 ? 0 : options.port + offset })
  return GatewayConfig.parse({
    name: 'Harborline',
    listen: listen(0),
    native: {
      postgres: listen(1),
      ssh: listen(2),
      ...(options.workers === undefined ? {} : { workers: options.workers }),
    },
    dataDir,
    store: options.store === undefined ? { kind: 'embedded' } : { kind: 'url', url: options.store },
    upstream: world.upstream,
    machines: Object.values(world.machines),
    connections: world.connections,
    policyDir: options.policy === undefined ? world.policyDir : resolve(options.policy),
  })
}

/** The line that `--json` prints (INTERFACES.md). */
function ready(world: World, gateway: Gateway, dataDir: string, options: DemoOptions): object {
  const { webKeyFile, ...targets } = world.targets
  return {
    gateway: gateway.url,
    native: gateway.native,
    machines: Object.fromEntries(
      Object.entries(world.machines).map(([role, { clientId, clientSecret }]) => [role, { clientId, clientSecret }]),
    ),
    people: world.people.map(({ username, password, groups }) => ({ username, password, groups })),
    dataDir,
    ...(options.exposeTargets === true ? { targets, keys: { 'web-1': webKeyFile } } : {}),
  }
}

function announce(world: World, gateway: Gateway): void {
  const password = world.people[0]?.password ?? ''
  say('')
  say(`  Gateway      ${gateway.url}`)
  say(`  PostgreSQL   ${gateway.native.postgres}    SSH  ${gateway.native.ssh}`)
  say('')
  say(`  Sign in as   ${world.people.map((person) => `${person.username} (${person.groups.join(', ')})`).join(' · ')}`)
  say(`  Password     ${password}`)
  say('')
}

/** Root's home is closed to the account that PostgreSQL runs as, so root keeps the demo where services keep theirs. */
function defaultDataDir(): string {
  if (process.getuid?.() === 0) return '/var/lib/sallyport/demo'
  return join(process.env.XDG_DATA_HOME ?? join(homedir(), '.local', 'share'), 'sallyport', 'demo')
}

function say(text: string): void {
  process.stderr.write(`${text}\n`)
}
