import type { ChildProcess } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { aboutRouters } from './api/about.ts'
import { explainRouter } from './api/explain.ts'
import { createRouter } from './api/router.ts'
import { registerApiRoutes } from './api/server.ts'
import { auditRouter } from './audit/router.ts'
import { GatewayConfig } from './config.ts'
import { createReach } from './connections/reach.ts'
import { connectionsRouter } from './connections/router.ts'

import { type Domains, startDomains } from './domains.ts'
import { eventsRouter } from './events/router.ts'
import { grantsRouter } from './grants/router.ts'
import { startHttp } from './http.ts'
import { type Identity, openIdentity } from './identity/identity.ts'
import { identitiesRouter } from './identity/router.ts'
import { callbackPath } from './identity/routes.ts'
import { createLifecycle, type Lifecycle } from './lifecycle.ts'
import { createMetrics } from './metrics.ts'
import { entranceHere } from './native/entrance.ts'
import { listenDoor, type NativeListener } from './native/listener.ts'
import { postgresDoor } from './native/postgres.ts'
import { listenSsh } from './native/ssh.ts'
import { tokenRoute } from './native/token-router.ts'
import { Notifier } from './notify/notifier.ts'
import { registerOpenPage } from './notify/open-page.ts'
import { registerSlack } from './notify/slack.ts'
import { recordingsRouter } from './recordings/router.ts'
import { requestsRouter } from './requests/router.ts'
import type { LocalAgent, Log } from './services.ts'
import { sessionsRouter } from './sessions/router.ts'
import { startEmbedded } from './store/embedded.ts'
import { createSealer, type Sealer } from './store/seal.ts'
import { dataKey } from './store/secret-file.ts'
import { openStore, type Store } from './store/store.ts'
import { createTunnel } from './tunnel.ts'
import { version } from './version.ts'
import { WorkerPool } from './workers/pool.ts'

/** A running gateway. */
export interface Gateway {
  /** As clients reach it, without a slash at the end. */
  url: string
  /** The native listeners as `host:port`; empty where there is none. */
  native: { postgres: string; ssh: string }
  /** Ends sessions with a reason, lets requests in flight finish, and stops the store. */
  close(): Promise<void>
}

export interface GatewayDeps {
  agent: LocalAgent
  log: Log
  /** Forks a worker process (see WorkerPool). Without it, sessions are served in this process alone. */
  fork?: () => ChildProcess
}

/**
 * Starts a gateway; resolves when it can be used.
 * @throws when anything it needs is missing or wrong, in words; what was started by then is stopped again
 */
export async function startGateway(config: GatewayConfig, deps: GatewayDeps): Promise<Gateway> {
  // Also for a configuration that was made in code: what would run open does not start.
  const checked = GatewayConfig.parse(config)
  const lifecycle = createLifecycle()
  try {
    return await start(checked, deps, lifecycle)
  } catch (error) {
    await lifecycle
      .stop()
      .catch((failure: unknown) => deps.log.error({ err: failure }, 'not all that had started could be stopped'))
    throw error
  }
}

async function start(config: GatewayConfig, deps: GatewayDeps, lifecycle: Lifecycle): Promise<Gateway> {
  const { log } = deps
  await mkdir(config.dataDir, { recursive: true, mode: 0o700 })
  const workers = workersOf(config, deps)
  // Also where something below does not start.
  if (workers !== undefined) lifecycle.started(() => workers.close())
  const agent = workers?.around(deps.agent) ?? deps.agent
  const sealer = createSealer(await dataKey(config.dataDir, process.env.SALLYPORT_KEY))
  const store = await startStore(config, lifecycle, log)
  const domains = await startDomains(config, { agent, store, sealer, log }, lifecycle)
  const { name } = config
  const { audit, sessions, requests, grants } = domains
  const http = await startHttp({ listen: config.listen, tls: config.tls, log })
  lifecycle.started(() => http.close())
  const publicUrl = (config.publicUrl ?? http.address).replace(/\/$/, '')
  const identity = await openIdentity({
    ...{ store, sealer, config, publicUrl, audit, sessions, log },
    takeBack: async (id, by) => {
      await grants.revokeAll(id, by)
      await requests.cancelAll(id, by)
    },
  })
  lifecycle.started(() => identity.close())
  const stopping = new AbortController()
  await workers?.start({ ...domains, agent, dataDir: config.dataDir, tls: config.tls })
  const native = await startNative(config, { ...domains, agent, log, workers }, lifecycle)

  const notifier = new Notifier({ db: store.db, config: config.notify, events: domains.events, publicUrl, log })
  notifier.start()
  lifecycle.started(() => notifier.close())
  registerOpenPage(http.app)
  await registerSlack(http.app, { ...domains, config: config.notify, log })

  const metrics = createMetrics()
  metrics.gauge('sallyport_sessions_live', 'Sessions open at this gateway', () => sessions.size)
  identity.register(http.app)
  await registerApiRoutes(http.app, {
    router: routerOf({
      ...domains,
      ...{ agent, store, sealer, native, publicUrl, name, identity, log },
      operators: config.operators,
      stopping: stopping.signal,
    }),
    tokens: identity.tokens,
    metrics,
    publicUrl,
    name,
    version,
    unready: () => whyUnready(store, domains),
    log,
  })
  const tunnel = createTunnel({ ...domains, agent, log })
  await http.open(tunnel.handle)
  lifecycle.started(() => tunnel.close())
  // Again, for this is its place once all runs: right behind the sessions, while their ends can be stored.
  if (workers !== undefined) lifecycle.started(() => workers.close())
  // First of all: nobody new, event streams end, and every session is told why.
  lifecycle.started(() => sessions.close())
  lifecycle.started(() => stopping.abort())
  log.info({ url: publicUrl, redirectUri: `${publicUrl}${callbackPath}`, native, version }, `${name} is ready`)
  return { url: publicUrl, native, close: () => lifecycle.stop() }
}

/** The listeners for native tools, where the configuration wants them; their addresses as clients write them. */
async function startNative(
  { native, tls, publicUrl }: GatewayConfig,
  deps: Domains & { agent: LocalAgent; log: Log; workers: WorkerPool | undefined },
  lifecycle: Lifecycle,
): Promise<Gateway['native']> {
  const addresses = { postgres: '', ssh: '' }
  const publicHost = publicUrl === undefined ? undefined : new URL(publicUrl).hostname
  const started = ({ address, close }: NativeListener): string => {
    lifecycle.started(close)
    return publicHost === undefined ? address : `${publicHost}${address.slice(address.lastIndexOf(':'))}`
  }
  const { workers, log } = deps
  if (native.postgres !== undefined && workers !== undefined) {
    addresses.postgres = started(await workers.listen(native.postgres))
  } else if (native.postgres !== undefined) {
    const door = postgresDoor({ entrance: entranceHere(deps), tls, log, lending: deps.agent.lending })
    addresses.postgres = started(await listenDoor({ listen: native.postgres, log }, door))
  }
  if (native.ssh !== undefined) addresses.ssh = started(await listenSsh({ ...deps, listen: native.ssh }))
  return addresses
}

/** As many as the machine has cores, and at most eight, unless the configuration says how many. */
function workersOf({ native }: GatewayConfig, { fork, log }: GatewayDeps): WorkerPool | undefined {
  const cores = availableParallelism()
  const count = native.workers ?? (cores === 1 ? 0 : Math.min(cores, 8))
  if (fork === undefined || native.postgres === undefined || count === 0) return undefined
  return new WorkerPool({ count, fork, log })
}

async function startStore(config: GatewayConfig, lifecycle: Lifecycle, log: Log): Promise<Store> {
  let { store } = config
  if (store.kind === 'embedded') {
    const embedded = await startEmbedded(config.dataDir, log)
    lifecycle.started(() => embedded.stop())
    store = { kind: 'url', url: embedded.url }
  }
  const opened = await openStore(store.url, log)
  lifecycle.started(() => opened.close())
  return opened
}

interface RouterDeps extends Domains {
  agent: LocalAgent
  store: Store
  sealer: Sealer
  native: { postgres: string; ssh: string }
  publicUrl: string
  name: string
  identity: Identity
  operators: readonly string[]
  stopping: AbortSignal
  log: Log
}

function routerOf(deps: RouterDeps) {
  const { agent, store, publicUrl, name } = deps
  const about = aboutRouters({ ...deps, gateway: { name, version, url: publicUrl } })
  const withReach = { ...deps, reach: createReach(agent) }
  return createRouter({
    ...about,
    identities: identitiesRouter(deps),
    connections: { ...connectionsRouter(withReach), token: tokenRoute(deps) },
    sessions: sessionsRouter({ ...deps, sshHostKey: agent.sshHostKey, rdpCertificate: agent.rdpCertificate }),
    recordings: recordingsRouter(deps),
    requests: requestsRouter(deps),
    grants: grantsRouter({ ...deps, db: store.db }),
    audit: auditRouter(deps),
    explain: explainRouter(deps),
    events: eventsRouter(deps),
  })
}

/** Why nothing can be done here right now, in words; undefined when all is well. */
async function whyUnready(store: Store, { audit }: Domains): Promise<string | undefined> {
  if (audit.failure !== undefined) return `The audit log can’t be written: ${audit.failure.message}`
  try {
    await store.ping()
    return undefined
  } catch {
    return 'The store does not answer.'
  }
}
