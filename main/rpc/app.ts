import type { DeepLink, Platform } from '../../shared/rpc/contract.ts'
import type { Account } from '../account.ts'
import { discoverGateway } from '../gateway/address.ts'
import type { LinkMonitor } from '../gateway/monitor.ts'
import { fail } from '../problem.ts'
import type { SettingsStore } from '../settings.ts'
import { rpc } from './base.ts'
import { told } from './errors.ts'

export interface AppDeps {
  platform(): Platform
  settings: SettingsStore
  account: Account
  monitor: LinkMonitor
  openExternal(url: string): Promise<void>
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
      saveSettings: app.saveSettings.handler(({ input }) => settings.save(input)),
      openExternal: app.openExternal.handler(async ({ input }) => {
        if (!isOurs(input.url, account)) throw fail('bad-input', 'Only pages of the gateway are opened from here.')
        await deps.openExternal(input.url)
      }),
      deepLinks: app.deepLinks.handler(({ signal }) => told(deps.deepLinks(signal))),
      link: app.link.handler(({ signal }) => told(monitor.state.watch(signal))),
    },
    auth: {
      state: auth.state.handler(({ signal }) => told(account.state.watch(signal))),
      discover: auth.discover.handler(async ({ input, signal }) => {
        const { url, name } = await discoverGateway(input.gateway, signal)
        return { gateway: url, name }
      }),
      signIn: auth.signIn.handler(({ input }) => account.signIn(input.gateway, input.flow)),
      cancel: auth.cancel.handler(() => account.cancel()),
      signOut: auth.signOut.handler(() => account.signOut()),
    },
  }
}

/** A page of the gateway that somebody is signed in to, or the very page that a sign-in waits for. */
function isOurs(url: string, account: Account): boolean {
  const state = account.state.get()
  if (state.state === 'waiting') return url === state.url
  const gateway = state.state === 'signed-out' ? undefined : state.gateway
  return gateway !== undefined && URL.parse(url)?.origin === new URL(gateway).origin
}
