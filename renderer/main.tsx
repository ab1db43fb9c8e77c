import './theme/mantine.css'
import './theme/fonts.css'
import './theme/tokens.css'
import './theme/base.css'
import './theme/marks.css'
import './theme/controls.css'
import './theme/surfaces.css'
import './frame/frame.css'
import './frame/parts.css'
import './theme/contrast.css'
import './theme/forced.css'
import './decisions/decisions.css'
import './notices/notices.css'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { createRoot } from 'react-dom/client'
import { createActions } from './actions/registry.ts'
import { App, loadFrame } from './app.tsx'
import { mountSprite } from './decisions/icon.tsx'
import { createRuntimes } from './dock/runtime.ts'
import { createWorkspace } from './dock/workspace.ts'
import { type Desk, DeskProvider, startPlace, startTree } from './frame/desk.tsx'
import { browserNotices, shellNotices } from './notices/browser.ts'
import { createNotices } from './notices/notices.ts'
import { createClient, createQueries } from './rpc/client.ts'
import { RpcProvider } from './rpc/context.tsx'
import { connect } from './rpc/link.ts'
import { startLive } from './rpc/live.ts'
import { createStore } from './rpc/store.ts'
import { systemIsLight } from './theme/theme.tsx'

async function start(root: HTMLElement): Promise<void> {
  // Until the settings are here, so that nothing flashes.
  document.documentElement.dataset.theme = systemIsLight() ? 'light' : 'dark'
  mountSprite(document)
  loadFrame()
  const core = connect(window)
  const client = createClient(core.link)
  const queries = createQueries(client)
  const cache = new QueryClient({
    defaultOptions: { queries: { retry: 1, staleTime: 30_000, refetchOnWindowFocus: false } },
  })
  const platform = await client.app.platform()
  const live = startLive(client, queries, cache, new AbortController().signal)
  const workspace = createWorkspace((drafts) =>
    live.saveDrafts(drafts).catch((error: unknown) => console.warn('Drafts were not saved.', error)),
  )
  // The page goes, or may go without another word: what was typed last goes out first.
  window.addEventListener('pagehide', workspace.flush)
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'hidden') workspace.flush()
  })
  const desk: Desk = {
    place: createStore(startPlace),
    tree: createStore(startTree),
    query: createStore(''),
    workspace,
    runtimes: createRuntimes(),
    notices: createNotices(),
    actions: createActions(),
    system: platform.notifications === 'page' ? browserNotices(window) : shellNotices,
  }
  createRoot(root).render(
    <QueryClientProvider client={cache}>
      <RpcProvider value={{ client, queries, live, core: core.state, platform }}>
        <DeskProvider value={desk}>
          <App />
        </DeskProvider>
      </RpcProvider>
    </QueryClientProvider>,
  )
}

const root = document.getElementById('root')
if (root === null) throw new Error('index.html has no #root')
start(root).catch((error: unknown) => {
  root.textContent = `Sallyport could not start: ${error instanceof Error ? error.message : String(error)}`
})
