import type { DeepLink, Diagnostics, Platform, Settings } from '../../shared/rpc/contract.ts'
import type { Account } from '../account.ts'
import { discoverGateway } from '../gateway/address.ts'
import type { LinkMonitor } from '../gateway/monitor.ts'
import type { Teller } from '../notices/teller.ts'
import type { Pages } from '../pages.ts'
import { fail } from '../problem.ts'
import type { SettingsStore } from '../settings.ts'
import type { Updates } from '../updates.ts'
import { rpc } from './base.ts'
import { told } from './errors.ts'

export interface AppDeps {
  platform(): Platform
  settings: SettingsStore
  account: Account
  monitor: LinkMonitor
  teller: Teller
  openExternal(url: string): Promise<void>
  updates: Updates
  /** The shell may have to follow: zoom, and how updates come. */
  settingsSaved(settings: Settings): void
  /** What support needs to know, as it is now. */
  bundle(): Diagnostics
  /** Writes it where the person finds it; resolves to the path. */
  saveBundle(bundle: Diagnostics): Promise<string>
  pages: Pages
  deepLinks(signal: AbortSignal | undefined): AsyncGenerator<DeepLink, void, void>
}

/** The app itself, and who is signed in. */
export function appRouters(deps: AppDeps) {
  const { settings, account, monitor } = deps
  const { app, auth } = rpc
  return {
    app: {
      platform: app.platform.handler(() => deps.platform()),
      settings: app.settings.handler(() => settings.get()),
      saveSettings: app.saveSettings.handler(async ({ input }) => {
        const saved = await settings.save(input)
        deps.settingsSaved(saved)
        return saved
      }),
      saveDrafts: app.saveDrafts.handler(async ({ input }) => {
        await settings.save({ workspace: input.drafts })
      }),
      openExternal: app.openExternal.handler(async ({ input }) => {
        if (!isOurs(input.url, account)) throw fail('bad-input', 'Only pages of the gateway are opened from here.')
        await deps.openExternal(input.url)
      }),
      deepLinks: app.deepLinks.handler(({ signal }) => told(deps.deepLinks(signal))),
      link: app.link.handler(({ signal }) => told(monitor.state.watch(signal))),
      diagnostics: app.diagnostics.handler(() => deps.bundle()),
      saveDiagnostics: app.saveDiagnostics.handler(async () => ({ path: await deps.saveBundle(deps.bundle()) })),
      update: app.update.handler(({ signal }) => told(deps.updates.state.watch(signal))),
      checkUpdate: app.checkUpdate.handler(() => deps.updates.check()),
      installUpdate: app.installUpdate.handler(() => deps.updates.install()),
      stay: app.stay.handler(({ input, signal }) => told(deps.pages.stay(input.page, signal))),
      notices: app.notices.handler(({ signal }) => told(deps.teller.read(signal))),
    },
    auth: {
      state: auth.state.handler(({ signal }) => told(account.state.watch(signal))),
      discover: auth.discover.handler(async ({ input, signal }) => {
        const { url, name } = await discoverGateway(input.gateway, signal)
        return { gateway: url, name }
      }),
      signIn: auth.signIn.handler(({ input }) => account.signIn(input.gateway, input.flow)),
      cancel: auth.cancel.handler(() => account.cancel()),
      confirm: auth.confirm.handler(({ input, signal }) => account.confirm(input.lack, input.why, signal)),
      signOut: auth.signOut.handler(() => account.signOut()),
    },
  }
}

/** A page of the gateway that somebody is signed in to, or the very page that a sign-in waits for. */
function isOurs(url: string, account: Account): boolean {
  const state = account.state.get()
  if (state.state === 'waiting') return url === state.url
  if (state.state === 'signed-in' && url === state.confirming?.url) return true
  const gateway = state.state === 'signed-out' ? undefined : state.gateway
  return gateway !== undefined && URL.parse(url)?.origin === new URL(gateway).origin
}
