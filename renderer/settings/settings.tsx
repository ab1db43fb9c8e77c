import './settings.css'
import { useQuery } from '@tanstack/react-query'
import { useRef } from 'react'
import { Icon, type IconName } from '../decisions/icon.tsx'
import { ShortcutTable } from '../frame/shortcut-table.tsx'
import { useGatewayHost } from '../frame/title-bar.tsx'
import { useAuth, useGatewayLink, usePerson, usePlatform, useRpc } from '../rpc/context.tsx'
import { Button } from '../theme/controls.tsx'
import { Appearance } from './appearance.tsx'
import { NativeTools } from './native-tools.tsx'

const sections: readonly { id: string; name: string; icon: IconName }[] = [
  { id: 'gateway', name: 'Gateway', icon: 'shield-check' },
  { id: 'appearance', name: 'Appearance', icon: 'sun' },
  { id: 'diagnostics', name: 'Diagnostics', icon: 'pulse' },
  { id: 'native-tools', name: 'Native tools', icon: 'plug' },
  { id: 'shortcuts', name: 'Shortcuts', icon: 'keyboard' },
]

export default function SettingsPage() {
  const page = useRef<HTMLElement>(null)
  const go = (id: string) => page.current?.querySelector(`#${id}`)?.scrollIntoView({ block: 'start' })
  return (
    <>
      <aside className="side" aria-label="Settings">
        <div className="side__hd">
          <h2 className="h-label">Settings</h2>
        </div>
        <nav className="side__bd" aria-label="Sections">
          {sections.map((section) => (
            <button type="button" className="tree-row stg__n" key={section.id} onClick={() => go(section.id)}>
              <Icon name={section.icon} />
              <span>{section.name}</span>
            </button>
          ))}
        </nav>
      </aside>
      <main className="main stg scroll" ref={page}>
        <div className="stg__l">
          <Gateway />
          <Appearance />
          <Diagnostics />
        </div>
        <div className="stg__r">
          <NativeTools />
          <section id="shortcuts">
            <h2>Shortcuts</h2>
            <div className="card">
              <ShortcutTable />
            </div>
          </section>
        </div>
      </main>
    </>
  )
}

function Gateway() {
  const { client } = useRpc()
  const auth = useAuth()
  const person = usePerson()
  const link = useGatewayLink()
  const host = useGatewayHost()
  const signOut = () => {
    client.auth.signOut().catch((error: unknown) => console.warn('Signing out failed.', error))
  }
  const name = auth?.state === 'signed-in' ? auth.gatewayName : undefined
  const state =
    link?.state === 'down'
      ? 'Not answering'
      : `Connected${link?.latencyMs === undefined ? '' : ` · ${Math.round(link.latencyMs)} ms`}`
  return (
    <section id="gateway">
      <h2>Gateway</h2>
      <div className="card gwc">
        <div className="row row--12">
          <span className="gwc__i">
            <Icon name="shield-check" size={20} />
          </span>
          <div className="col grow">
            <b className="m">{host}</b>
            <span className="sm t2">{name === undefined ? state : `${name} · ${state}`}</span>
          </div>
        </div>
        <dl className="setr">
          <dt>Signed in as</dt>
          <dd>
            <span className="trunc">
              {person?.name} ({person?.id})
            </span>
            <span className="right">
              <Button size="sm" kind="ghost" icon="log-out" onClick={signOut}>
                Sign out
              </Button>
            </span>
          </dd>
          <dt>Groups</dt>
          <dd className="trunc">{person?.groups.join(', ')}</dd>
          <dt>If it stops answering</dt>
          <dd>Pause every session and send nothing</dd>
          <dt>Credentials</dt>
          <dd>Held by the gateway. None on this device.</dd>
        </dl>
      </div>
    </section>
  )
}

function Diagnostics() {
  const { queries } = useRpc()
  const platform = usePlatform()
  const link = useGatewayLink()
  const auth = useAuth()
  const me = useQuery(queries.gateway.me.queryOptions({ enabled: auth?.state === 'signed-in' }))
  const up = link?.state === 'up'
  return (
    <section id="diagnostics">
      <h2>Diagnostics</h2>
      <div className="card">
        <dl className="setr setr--p">
          <dt>Gateway</dt>
          <dd>
            <Icon name={up ? 'check' : 'alert'} size={14} />
            {up
              ? `Reachable${link.latencyMs === undefined ? '' : ` in ${Math.round(link.latencyMs)} ms`}`
              : 'Not answering'}
          </dd>
          <dt>Gateway version</dt>
          <dd>{me.data?.gateway.version ?? '–'}</dd>
          <dt>Sign-in</dt>
          <dd>
            <Icon name={auth?.state === 'signed-in' ? 'check' : 'alert'} size={14} />
            {me.data ? `Ends ${new Date(me.data.signInEndsAt).toLocaleString('en-GB')}` : 'Ended'}
          </dd>
          <dt>This client</dt>
          <dd>
            Sallyport {platform.version}, {platform.shell === 'electron' ? 'desktop' : 'in the browser'}, {platform.os}
          </dd>
        </dl>
      </div>
    </section>
  )
}
