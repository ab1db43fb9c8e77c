import { useActions } from '../actions/use-actions.ts'
import { useNow } from '../decisions/time.ts'
import { useRpc, useSettings } from '../rpc/context.tsx'
import { useStore } from '../rpc/store.ts'
import { useDesk, useNavigation, usePlace } from './desk.tsx'
import { extension, useMyGrants } from './grants.ts'
import { moveToRegion } from './regions.ts'
import { useSide } from './use-room.ts'

/** What can be done wherever one is. */
export function useFrameActions(): void {
  const { client, live } = useRpc()
  const { workspace } = useDesk()
  const side = useSide()
  const settings = useSettings()
  const place = usePlace()
  const go = useNavigation()
  const save = (change: Parameters<typeof live.saveSettings>[0]) => {
    live.saveSettings(change).catch((error: unknown) => console.warn('The setting was not saved.', error))
  }
  useActions({
    'app.palette': () => go.palette(!place.palette),
    'app.shortcuts': () => go.shortcuts(true),
    'go.connections': () => go.area('connections'),
    'go.saved': () => go.saved(),
    'go.requests': () => go.requests('mine'),
    'go.review': () => go.requests('review'),
    'go.history': () => go.requests('history'),
    'go.metrics': () => go.metrics(),
    'go.sessions': () => go.sessionList(),
    'go.settings': () => go.settings(),
    'go.nativeTools': () => go.settings('native-tools'),
    'view.sidebar': () => {
      if (place.area === 'connections') go.toggleSidebar(side.room)
      else go.sidebar()
    },
    'view.nextRegion': () => moveToRegion(1),
    'view.previousRegion': () => moveToRegion(-1),
    'access.request': () => go.compose(),
    'theme.dark': () => save({ theme: 'dark' }),
    'theme.light': () => save({ theme: 'light' }),
    'theme.system': () => save({ theme: 'system' }),
    'theme.contrast': () => save({ contrast: settings?.contrast === 'high' ? 'system' : 'high' }),
    'app.diagnostics': () => go.settings('diagnostics'),
    'app.checkUpdate': () => go.settings('updates'),
    'app.signOut': () => {
      client.auth.signOut().catch((error: unknown) => console.warn('Signing out failed.', error))
    },
  })
  // Where the side bar is, its field is at hand.
  useActions({ 'view.filter': () => go.filter() }, place.area === 'connections' && !side.shown)
  const some = useStore(workspace.state, (s) => s.closed.length > 0)
  useActions(
    {
      'tab.reopen': () => {
        go.area('connections')
        workspace.reopen()
      },
    },
    some,
  )
  const { documents, active } = workspace.state.get()
  const here = documents.find((d) => d.id === active)?.connection
  const grants = useMyGrants(useNow(15_000))
  const ending = grants.find((grant) => grant.connection === here) ?? grants[0]
  useActions(
    {
      'access.extend': {
        label: `Extend grant on ${ending?.connection ?? ''}`,
        run: () => {
          if (ending !== undefined) go.compose(extension(ending))
        },
      },
    },
    ending !== undefined,
  )
}
