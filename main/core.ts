import type { GatewayEvent } from '../shared/api/models.ts'
import type { DeepLink, Diagnostics, Platform, Settings } from '../shared/rpc/contract.ts'
import { Account } from './account.ts'
import { diagnosticBundle, failureWords, recentLog, saveBundle } from './diagnostics.ts'
import { gatewayOrigin } from './gateway/address.ts'
import { followEvents } from './gateway/events.ts'
import { LinkMonitor } from './gateway/monitor.ts'
import type { Log } from './log.ts'
import { Teller } from './notices/teller.ts'
import { Pages } from './pages.ts'
import { AsyncQueue } from './queue.ts'
import { sweepScratch } from './rdp/scratch.ts'
import { appRouters } from './rpc/app.ts'
import { rpc } from './rpc/base.ts'
import { editorRouter } from './rpc/editor.ts'
import { thrownProblem, told } from './rpc/errors.ts'
import { forwardRouter } from './rpc/forward.ts'
import { workRouters } from './rpc/work.ts'
import { downloadsSaver, type Saver } from './save.ts'
import type { SecretStore } from './secrets.ts'
import { openSettings } from './settings.ts'
import type { SignedIn } from './sign-in/person.ts'
import { sweepSpool } from './sql/spool.ts'
import { noUpdates, type Updates } from './updates.ts'
import { Broadcast } from './watched.ts'
import { Work } from './work.ts'

export interface CoreOptions {
  /** For settings and spooled results; made when missing. Two cores must not share one. */
  dataDir: string
  secrets: SecretStore
  shell: Platform['shell']
  version: string
  /** The gateway to start with; else the one used last. */
  gateway?: string
  /** Opens an http(s) address in the person's browser. */
  openExternal(url: string): Promise<void>
  /** How the app gets new versions; absent where something else brings them. */
  updates?: Updates
  /** Where files for the person go; absent: their downloads folder. */
  downloadsDir?: string
  /** How the person says where an export goes; absent: into their downloads folder. */
  saver?: Saver
  /** Called with the settings at the start, and whenever they are saved. */
  onSettings?(settings: Settings): void
  log: Log
}

export interface Core {
  /** Implements `shared/rpc/contract.ts`; give it to an oRPC handler of any transport. */
  readonly router: CoreRouter
  /** Shows a view; kept until somebody looks. */
  openDeepLink(link: DeepLink): void
  close(): Promise<void>
}

export type CoreRouter = ReturnType<typeof createRouter>

/** The client without a window. Resolves once it knows whether somebody is signed in; it does not wait for the gateway. */
export async function createCore(options: CoreOptions): Promise<Core> {
  const { dataDir } = options
  const recent = recentLog(options.log)
  const { log } = recent
  const updates = options.updates ?? noUpdates(options.shell)
  const settings = await openSettings(dataDir, (message) => log.warn({}, message))
  if (options.gateway !== undefined) await settings.save({ gateway: gatewayOrigin(options.gateway) })
  await sweepSpool(dataDir)
  await sweepScratch(dataDir)

  const events = new Broadcast<GatewayEvent>()
  const links = new AsyncQueue<DeepLink>()
  const monitor = new LinkMonitor()
  const teller = new Teller((message) => log.warn({}, message))
  let following = new AbortController()
  let lastPerson: string | undefined
  let gatewayVersion: string | undefined
  const startedAt = new Date().toISOString()

  const account = new Account({
    secrets: options.secrets,
    clientId: 'sallyport-desktop',
    openExternal: options.openExternal,
    onSignedIn: async (who) => {
      const person = `${who.person.id} ${who.info.url}`
      // Results and sessions of another person are not for this one to see.
      if (lastPerson !== undefined && lastPerson !== person) await work.closeAll()
      lastPerson = person
      gatewayVersion = who.info.version
      await settings.save({ gateway: who.info.url })
      following.abort()
      following = new AbortController()
      teller.enter(who.person.id, async (signal) => {
        const { requests } = who.api
        const [pending, broken] = await Promise.all([
          requests.list({ scope: 'review', state: 'pending' }, { signal }),
          requests.history({ breakGlass: 'open', limit: 100 }, { signal }),
        ])
        return [...pending, ...broken.requests]
      })
      follow(who, following.signal)
      monitor.watch(who.info.url)
      work
        .openEndpointsAtStart(following.signal)
        .catch((error: unknown) => log.warn({ err: error }, 'no endpoint was opened at start'))
    },
    onSignedOut: async (how) => {
      following.abort()
      teller.leave()
      if (how === 'signed-out') {
        lastPerson = undefined
        monitor.watch(undefined)
        await work.closeAll()
      }
    },
    log,
  })
  const work = new Work({
    dataDir,
    settings,
    who: () => account.require(),
    confirm: (lack, why, signal) => account.confirm(lack, why, signal),
    saver: options.saver ?? downloadsSaver(options.downloadsDir),
    warn: (message) => log.warn({}, message),
  })
  const pages = new Pages((page) => {
    work.closeOf(page).catch((error: unknown) => log.warn({ err: error }, 'what a page had opened was not closed'))
  })
  const follow = (who: SignedIn, signal: AbortSignal): void => {
    const warn = (message: string): void => {
      log.warn({}, message)
      monitor.look()
    }
    const hear = (event: GatewayEvent): void => {
      events.emit(event)
      teller.hear(event)
    }
    followEvents(who.api, hear, warn, signal, (waiting) => monitor.back(waiting)).catch((error: unknown) => {
      log.error({ err: error }, 'gateway events stopped')
    })
  }

  const platform = (): Platform => ({
    shell: options.shell,
    notifications: options.shell === 'electron' ? 'shell' : 'page',
    os: process.platform === 'darwin' ? 'mac' : process.platform === 'win32' ? 'windows' : 'linux',
    version: options.version,
    gateway: settings.get().gateway,
  })
  const router = createRouter({
    platform,
    settings,
    account,
    monitor,
    teller,
    pages,
    work,
    events,
    links,
    openExternal: options.openExternal,
    updates,
    settingsSaved: options.onSettings ?? (() => {}),
    bundle: () =>
      diagnosticBundle({
        platform: platform(),
        settings: settings.get(),
        auth: account.state.get(),
        link: monitor.state.get(),
        update: updates.state.get(),
        endpoints: work.usedEndpoints(),
        gatewayVersion,
        startedAt,
        log: recent.entries(),
      }),
    saveBundle: (bundle) => saveBundle(bundle, options.downloadsDir),
    failed: (path, error) => log.info({}, failureWords(path, thrownProblem(error))),
  })
  options.onSettings?.(settings.get())
  await account.resume(settings.get().gateway)

  return {
    router,
    openDeepLink: (link) => links.push(link),
    async close() {
      account.cancel()
      following.abort()
      monitor.watch(undefined)
      events.end()
      work.endpointChanges.end()
      teller.end()
      links.end()
      pages.end()
      await work.closeAll()
      await settings.settled()
    },
  }
}

interface RouterDeps {
  platform(): Platform
  settings: Awaited<ReturnType<typeof openSettings>>
  account: Account
  monitor: LinkMonitor
  teller: Teller
  pages: Pages
  work: Work
  events: Broadcast<GatewayEvent>
  links: AsyncQueue<DeepLink>
  openExternal(url: string): Promise<void>
  updates: Updates
  settingsSaved(settings: Settings): void
  bundle(): Diagnostics
  saveBundle(bundle: Diagnostics): Promise<string>
  /** What the page asked for and did not get. */
  failed(path: readonly string[], error: unknown): void
}

function createRouter(deps: RouterDeps) {
  const { account, work, events, links, monitor } = deps
  const logged = rpc.use(async ({ next, path }) => {
    try {
      return await next()
    } catch (error) {
      // Who went away before the answer came asks for nothing any more.
      if (!(error instanceof Error && error.name === 'AbortError')) deps.failed(path, error)
      throw error
    }
  })
  return logged.router({
    ...appRouters({ ...deps, deepLinks: (signal) => links.until(signal) }),
    ...workRouters(work),
    editor: editorRouter(work),
    gateway: forwardRouter({
      api: () => {
        if (monitor.state.get().state === 'down') monitor.look()
        return account.require().api
      },
      confirm: (lack, why, signal) => account.confirm(lack, why, signal),
    }),
    events: rpc.events.handler(({ signal }) => told(events.read(signal))),
  })
}
