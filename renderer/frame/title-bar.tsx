import { Menu } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Chord } from '../actions/chord.tsx'
import { useBindings } from '../actions/use-actions.ts'
import { Avatar } from '../decisions/chip.tsx'
import { Drawn } from '../decisions/drawn.tsx'
import { Icon } from '../decisions/icon.tsx'
import { useAuth, useCore, useGatewayLink, usePause, usePerson, usePlatform, useRpc } from '../rpc/context.tsx'
import type { CoreState } from '../rpc/link.ts'
import { Logo } from '../theme/logo.tsx'
import { useNavigation } from './desk.tsx'
import { useWaitingForMe } from './waiting.ts'

export function TitleBar() {
  const auth = useAuth()
  const { os } = usePlatform()
  const paletteKeys = useBindings().get('app.palette')
  const go = useNavigation()
  return (
    <header className="title" data-os={os}>
      <div className="title__brand">
        <Logo />
        <span>Sallyport</span>
        {auth !== undefined && 'gatewayName' in auth && <span className="t3 trunc">{auth.gatewayName}</span>}
      </div>
      <button type="button" className="title__cmd" onClick={() => go.palette(true)}>
        <Icon name="search" size={14} />
        <span className="grow trunc">Search connections, tables and commands</span>
        <span aria-hidden="true">
          <Chord keys={paletteKeys} />
        </span>
      </button>
      <div className="title__right">
        <GatewayState />
        <span className="vr" />
        {auth?.state === 'signed-in' && (
          <>
            <Bell />
            <span className="vr" />
          </>
        )}
        <Person />
      </div>
    </header>
  )
}

const coreLook: Readonly<Record<CoreState, string>> = {
  connecting: 'Connecting',
  up: 'Connected',
  down: 'Sallyport not answering',
  closed: 'Sallyport closed',
  replaced: 'Page out of date',
}

/** The gateway and how far it is; red when it does not answer. */
function GatewayState() {
  const link = useGatewayLink()
  const pause = usePause()
  const core = useCore()
  const go = useNavigation()
  const host = useGatewayHost()
  if (pause === 'gateway-down' || pause === 'core-down') {
    return (
      <button type="button" className="title__btn fg d-blocked" onClick={() => go.area('settings')}>
        <Icon name="cloud-off" />
        <span>{pause === 'gateway-down' ? 'Gateway not answering' : coreLook[core]}</span>
      </button>
    )
  }
  const latency = link?.latencyMs === undefined ? '' : `${Math.round(link.latencyMs)} ms`
  return (
    <button
      type="button"
      className="title__btn"
      aria-label={`${host}, gateway connected${latency && `, ${latency}`}`}
      onClick={() => go.area('settings')}
    >
      <Icon name="shield-check" />
      <span className="trunc title__host">{host}</span>
      <Drawn className="num" text={latency} />
    </button>
  )
}

/** The gateway's name as people know it: its host. */
export function useGatewayHost(): string {
  const auth = useAuth()
  const platform = usePlatform()
  const address = auth?.state === 'signed-in' || auth?.state === 'expired' ? auth.gateway : platform.gateway
  return URL.canParse(address) ? new URL(address).host : address
}

function Bell() {
  const waiting = useWaitingForMe()
  const go = useNavigation()
  const words =
    waiting === 0 ? 'Nothing waits for you' : `${waiting} ${waiting === 1 ? 'approval' : 'approvals'} waiting for you`
  return (
    <button type="button" className="title__btn" aria-label={words} onClick={() => go.requests('review')}>
      <Icon name="bell" />
      {waiting > 0 && <Drawn className="badge badge--held" text={String(waiting)} />}
    </button>
  )
}

function Person() {
  const { client, queries } = useRpc()
  const person = usePerson()
  const auth = useAuth()
  const go = useNavigation()
  const expired = auth?.state === 'expired'
  const me = useQuery(queries.gateway.me.queryOptions({ enabled: !expired }))
  if (person === undefined) return null
  const signOut = () => {
    client.auth.signOut().catch((error: unknown) => console.warn('Signing out failed.', error))
  }
  return (
    <Menu classNames={{ dropdown: 'menu', item: 'mi' }} position="bottom-end" withinPortal unstyled>
      <Menu.Target>
        <button
          type="button"
          className="title__btn"
          aria-label={`${person.name}, ${person.groups.join(', ')}${expired ? ', signed out' : ''}`}
        >
          {expired ? <Icon name="lock" /> : <Avatar name={person.name} />}
          {expired && <Drawn className="t3" text="Signed out" />}
          <span className="title__who">{person.name}</span>{' '}
          {!expired && <span className="t3 title__group">{person.groups[0]}</span>}
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        <p className="menu__head sm t2">
          {person.id} · {person.groups.join(', ')}
          <br />
          {me.data && (
            <span className="t3">Sign-in until {new Date(me.data.signInEndsAt).toLocaleString('en-GB')}</span>
          )}
        </p>
        <Menu.Item onClick={() => go.area('settings')}>Settings</Menu.Item>
        <Menu.Item onClick={signOut}>Sign out</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}
