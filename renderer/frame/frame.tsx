import { Notifications } from '@mantine/notifications'
import { Suspense, useEffect, useState } from 'react'
import { useActionKeys } from '../actions/use-actions.ts'
import { useAnnounce } from '../decisions/announce.tsx'
import { Watermark } from '../dock/watermark.tsx'
import { EventNotices } from '../notices/event-notices.tsx'
import { SystemNotices } from '../notices/system.tsx'
import { useAuth, useCore, usePause, useRpc } from '../rpc/context.tsx'
import { useStore } from '../rpc/store.ts'
import { Sidebar } from '../sidebar/sidebar.tsx'
import { StatusBar } from '../status/status-bar.tsx'
import { Spinner } from '../theme/controls.tsx'
import { Guard } from '../theme/guard.tsx'
import { preloaded, preloadWhenIdle } from '../theme/preloaded.tsx'
import { ActivityBar } from './activity-bar.tsx'
import { coreWords } from './core-words.ts'
import { navigation, useDesk, usePlace } from './desk.tsx'
import { PauseBanner } from './pause-banner.tsx'
import { TitleBar } from './title-bar.tsx'
import { useFrameActions } from './use-frame-actions.ts'
import { useRecent } from './use-recent.ts'
import { useSide } from './use-room.ts'

const Dock = preloaded(() => import('../dock/dock.tsx'))
const Requests = preloaded(() => import('../requests/requests.tsx'))
const Sessions = preloaded(() => import('../sessions/sessions.tsx'))
const SettingsPage = preloaded(() => import('../settings/settings.tsx'))
const Shortcuts = preloaded(() => import('./shortcuts.tsx'), { over: true })
const Confirming = preloaded(() => import('../sign-in/confirming.tsx'), { over: true })
const Palette = preloaded(() => import('../palette/palette.tsx'), { over: true })

/** The window once somebody is signed in. The dock stays mounted in every area: what runs in it goes on. */
export default function Frame() {
  const place = usePlace()
  const { notices } = useDesk()
  const docked = useDocked()
  useDeepLinks()
  usePauseAnnouncement()
  useFrameActions()
  useActionKeys()
  usePreloads()
  const recent = useRecent()
  const auth = useAuth()
  const confirming = auth?.state === 'signed-in' && auth.confirming !== undefined
  const connections = place.area === 'connections'
  const side = useSide()
  const loading = (
    <div className="main main--lost">
      <div className="gate__wait">
        <Spinner label="Opening" />
      </div>
    </div>
  )
  return (
    <div className="app" data-area={place.area} data-side={side.shown && side.room ? 'on' : 'off'}>
      <TitleBar />
      <ActivityBar />
      {side.shown && <Sidebar recent={recent} over={!side.room} />}
      <main className="main main--dock" hidden={!connections}>
        <PauseBanner />
        {docked ? (
          <Suspense fallback={loading}>
            <Dock />
          </Suspense>
        ) : (
          <div className="dock">
            <Watermark />
          </div>
        )}
      </main>
      <Guard key={place.area}>
        <Suspense fallback={loading}>
          {place.area === 'requests' && <Requests />}
          {place.area === 'sessions' && <Sessions />}
          {place.area === 'settings' && <SettingsPage />}
        </Suspense>
      </Guard>
      {/* What opens over the window leaves what is under it alone while it loads. */}
      <Suspense fallback={null}>{place.palette && <Palette />}</Suspense>
      <Suspense fallback={null}>{place.shortcuts && <Shortcuts />}</Suspense>
      <StatusBar />
      <Notifications
        store={notices.store}
        position="bottom-right"
        limit={3}
        containerWidth={348}
        notificationMaxHeight={360}
        transitionDuration={220}
        classNames={{ root: 'toast-root' }}
        zIndex={40}
      />
      <Suspense fallback={null}>{confirming && <Confirming />}</Suspense>
      <EventNotices />
      <SystemNotices />
    </div>
  )
}

/** Nobody waits for what is a key away. Not on the way of the first screen. */
const preloadMs = 1_000

function usePreloads() {
  useEffect(() => {
    let stop = () => {}
    const timer = setTimeout(() => {
      stop = preloadWhenIdle(Palette, Dock, Requests)
    }, preloadMs)
    return () => {
      clearTimeout(timer)
      stop()
    }
  }, [])
}

/** True once there was a tab: what places tabs loads with the first, and then stays. */
function useDocked(): boolean {
  const { workspace } = useDesk()
  const some = useStore(workspace.state, (s) => s.documents.length > 0)
  const [docked, setDocked] = useState(some)
  useEffect(() => {
    if (some) setDocked(true)
  }, [some])
  return docked || some
}

/** A link from outside opens a view; it never acts. */
function useDeepLinks() {
  const { client, live } = useRpc()
  const desk = useDesk()
  const { notices } = desk
  const announce = useAnnounce()
  useEffect(() => {
    const go = navigation(desk)
    return live.onDeepLink((link) => {
      switch (link.to) {
        case 'request':
          go.request(link.id, 'review', link.focus)
          return
        case 'session':
          go.session(link.id, link.at === undefined ? undefined : link.at * 1000)
          return
        case 'connection':
          client.gateway.connections.list().then(
            (list) => {
              const found = list.find((c) => c.name === link.name)
              if (found !== undefined) {
                go.connection(found)
                return
              }
              const words = `${link.name}, which a link named, is not among your connections.`
              notices.show({ id: 'deep-link', content: <p className="toast">{words}</p> })
              announce(words)
            },
            (error: unknown) => console.warn('The link could not be followed.', error),
          )
          return
        default:
          link satisfies never
      }
    })
  }, [live, client, desk, notices, announce])
}

/** The loss of the gateway or of the sign-in is said at once. */
function usePauseAnnouncement() {
  const pause = usePause()
  const core = useCore()
  const announce = useAnnounce()
  useEffect(() => {
    if (pause === 'gateway-down')
      announce('The gateway is not answering. Sessions are paused and nothing is sent.', 'assertive')
    if (pause === 'core-down') {
      const { what, next } = coreWords(core)
      announce(`${what} ${next}`, 'assertive')
    }
    if (pause === 'expired')
      announce('Your sign-in ended. Tabs and drafts are kept. Sign in again to go on.', 'assertive')
  }, [pause, core, announce])
}
