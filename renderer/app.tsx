import { lazy, Suspense, useEffect } from 'react'
import { Announcer } from './decisions/announce.tsx'
import { useDesk } from './frame/desk.tsx'
import { useAuth, useRpc, useSettings } from './rpc/context.tsx'
import { SignIn } from './sign-in/sign-in.tsx'
import { ThemeProvider, useThemeName } from './theme/theme.tsx'

const Frame = lazy(() => import('./frame/frame.tsx'))

/** Sign-in until somebody is; the frame from then on, also when the sign-in ends while working. */
export function App() {
  const auth = useAuth()
  const settings = useSettings()
  const theme = useThemeName(settings?.theme ?? 'system')
  const { workspace } = useDesk()
  const { live } = useRpc()
  const known = settings !== undefined
  useEffect(() => {
    // Once, with what was saved; what is saved later comes from here.
    if (known) workspace.restore(live.settings.get()?.workspace)
  }, [known, live, workspace])
  if (auth === undefined || !known) return null
  return (
    <ThemeProvider name={theme}>
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
