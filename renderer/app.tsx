import { useQueryClient } from '@tanstack/react-query'
import { Suspense, useEffect } from 'react'
import { Announcer } from './decisions/announce.tsx'
import { startPlace, startTree, useDesk } from './frame/desk.tsx'
import { useAuth, useRpc, useSettings } from './rpc/context.tsx'
import { SignIn } from './sign-in/sign-in.tsx'
import { preloaded } from './theme/preloaded.tsx'
import { ThemeProvider } from './theme/theme.tsx'

const Frame = preloaded(() => import('./frame/frame.tsx'))

/** Most starts find somebody signed in: what they see loads beside the first questions to the core, and not after them. */
export function loadFrame(): void {
  Frame.preload().catch((error: unknown) => console.warn('The frame will be loaded when it is needed.', error))
}

/** Sign-in until somebody is; the frame from then on, also when the sign-in ends while working. */
export function App() {
  const auth = useAuth()
  const settings = useSettings()
  const { workspace, runtimes, place, tree } = useDesk()
  const { live, queries } = useRpc()
  const known = settings !== undefined
  const person = auth?.state === 'signed-in' || auth?.state === 'expired' ? auth.person.id : undefined
  const cache = useQueryClient()
  useEffect(() => {
    if (!known) return
    if (person !== undefined) {
      workspace.enter(person, live.drafts())
      return
    }
    // What belonged to them is not for who comes next.
    runtimes.closeAll()
    workspace.leave()
    place.set(startPlace)
    tree.set(startTree)
    cache.removeQueries({ queryKey: queries.gateway.key() })
  }, [known, person, live, workspace, runtimes, place, tree, cache, queries])
  if (auth === undefined || !known) return null
  return (
    <ThemeProvider>
      <Announcer>
        {auth.state === 'signed-in' || auth.state === 'expired' ? (
          <Suspense fallback={<div className="app" />}>
            <Frame />
          </Suspense>
        ) : (
          <SignIn auth={auth} />
        )}
      </Announcer>
    </ThemeProvider>
  )
}
