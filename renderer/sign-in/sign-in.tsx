import './sign-in.css'
import { useQuery } from '@tanstack/react-query'
import { type FormEvent, Suspense, useState } from 'react'
import type { AuthState } from '../../shared/rpc/contract.ts'
import { Chord } from '../actions/chord.tsx'
import { useBindings } from '../actions/use-actions.ts'
import { Icon } from '../decisions/icon.tsx'
import { keyLabel, useShortcuts } from '../decisions/keys.ts'
import { usePlatform, useRpc, useSettings } from '../rpc/context.tsx'
import { problemOf } from '../rpc/problem.ts'
import { Button } from '../theme/controls.tsx'
import { Logo } from '../theme/logo.tsx'
import { preloaded } from '../theme/preloaded.tsx'
import { Failed } from './failed.tsx'
import { useSignIn } from './use-sign-in.ts'
import { Waiting } from './waiting.tsx'

const Support = preloaded(() => import('./support.tsx'), { over: true })
const Keys = preloaded(() => import('./keys.tsx'), { over: true })

type SignedOut = Extract<AuthState, { state: 'signed-out' | 'waiting' }>

/** The gateway's address, and one button. */
export function SignIn({ auth }: { auth: SignedOut }) {
  const { queries } = useRpc()
  const platform = usePlatform()
  const settings = useSettings()
  const [address, setAddress] = useState(() => (platform.gateway || settings?.gateway || '').replace(/^https:\/\//, ''))
  const [checked, setChecked] = useState(address)
  const gateway = useQuery(
    queries.auth.discover.queryOptions({ input: { gateway: checked }, enabled: checked.trim() !== '', retry: false }),
  )
  const [over, setOver] = useState<'support' | 'keys' | undefined>(undefined)
  const closeOver = () => setOver(undefined)
  const sheetKeys = useBindings().get('app.shortcuts')
  useShortcuts(sheetKeys === undefined ? [] : [{ keys: sheetKeys, run: () => setOver('keys') }], platform.os)
  const signIn = useSignIn()
  const start = (flow: 'browser' | 'device') => signIn.mutate({ gateway: address.trim(), flow })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (address.trim() !== '') start('browser')
  }
  const waiting = auth.state === 'waiting' ? auth : undefined
  const failure =
    auth.state === 'signed-out' ? (auth.problem ?? (signIn.error ? problemOf(signIn.error) : undefined)) : undefined
  const unknown = gateway.error && checked === address ? problemOf(gateway.error) : undefined
  return (
    <div className="app app--noside signin">
      <header className="title">
        <span className="title__right">
          <Button size="sm" kind="ghost" icon="keyboard" onClick={() => setOver('keys')}>
            Shortcuts <Chord keys={sheetKeys} />
          </Button>
        </span>
      </header>
      <Arches />
      <main className="signin__main">
        <section className="signin__card" aria-labelledby="sign-in-title">
          <Logo size={44} />
          <h1 id="sign-in-title">Sign in to Sallyport</h1>
          <p className="t2">One sign-in for the databases, hosts, desktops and clusters you are allowed to use.</p>
          <form onSubmit={submit}>
            <label className="fld">
              <span className="fld__l">Gateway</span>
              <span className={unknown ? 'input input--lg is-error' : 'input input--lg'}>
                <Icon name="shield-check" />
                <input
                  value={address}
                  onChange={(event) => setAddress(event.target.value)}
                  onBlur={() => setChecked(address)}
                  // biome-ignore lint/a11y/noAutofocus: nothing else is to be done here
                  autoFocus
                  placeholder="gateway.example.com"
                  spellCheck={false}
                  autoComplete="url"
                  aria-invalid={unknown !== undefined}
                  aria-describedby="gateway-hint"
                />
                {gateway.data && checked === address && (
                  <span className="xs t2 row fld__ok">
                    <Icon name="check" size={12} />
                    Verified
                  </span>
                )}
              </span>
              <span className={unknown ? 'fld__h err' : 'fld__h'} id="gateway-hint" aria-live="polite">
                {unknown
                  ? `${unknown.message} ${unknown.hint ?? ''}`
                  : (gateway.data?.name ?? 'The address your company gave you.')}
              </span>
            </label>
            <Button
              kind="primary"
              size="lg"
              block
              type="submit"
              keys={keyLabel('Enter', platform.os)}
              disabled={address.trim() === '' || waiting !== undefined || signIn.isPending}
            >
              Continue with SSO
            </Button>
          </form>
          <div className="signin__alt">
            <Button
              kind="ghost"
              size="sm"
              disabled={address.trim() === '' || waiting !== undefined}
              onClick={() => start('device')}
            >
              Sign in with a device code
            </Button>
          </div>
          <p className="signin__rec">
            <span className="rec rec--bare" />
            Sessions through this gateway are recorded. No passwords or keys are stored on this device.
          </p>
        </section>
        {waiting && (
          <aside className="signin__states" aria-label="Sign-in in progress">
            <Waiting {...waiting} />
          </aside>
        )}
        {!waiting && failure && <Failed problem={failure} onRetry={() => start('browser')} />}
      </main>
      <footer className="status">
        <span className="status__i">Sallyport {platform.version}</span>
        <span className="signin__foot">
          <Button size="sm" kind="ghost" onClick={() => setOver('support')}>
            Diagnostics
          </Button>
        </span>
      </footer>
      <Suspense fallback={null}>
        {over === 'support' && <Support onClose={closeOver} />}
        {over === 'keys' && <Keys onClose={closeOver} />}
      </Suspense>
    </div>
  )
}

/** The gate behind the card. */
function Arches() {
  return (
    <svg className="signin__gate" viewBox="0 0 1440 900" preserveAspectRatio="xMidYMin slice" aria-hidden="true">
      {Array.from({ length: 9 }, (_, i) => {
        const r = 75 + 37 * i
        return <path key={r} d={`M${720 - r} 900V${430 - 10 * i}a${r} ${r} 0 0 1 ${2 * r} 0V900`} />
      })}
    </svg>
  )
}
