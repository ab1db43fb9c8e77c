import { useDesk } from '../frame/desk.tsx'
import type { Permission } from '../notices/browser.ts'
import { usePlatform } from '../rpc/context.tsx'
import { useStore } from '../rpc/store.ts'
import { Button } from '../theme/controls.tsx'

/** Whether what waits for the person is told outside the window, and what such a notice says. */
export function NotificationSettings() {
  const { system } = useDesk()
  const { notifications } = usePlatform()
  const permission = useStore(system.permission)
  const ask = () => {
    system.ask().catch((error: unknown) => console.warn('Notifications were not turned on.', error))
  }
  return (
    <div className="card">
      <dl className="setr setr--p">
        <dt>System notifications</dt>
        <dd className={permission === 'denied' ? 'setr__w' : undefined}>
          <span>{notifications === 'page' ? pageWords[permission] : 'Shown by the system'}</span>
          {notifications === 'page' && permission === 'default' && (
            <span className="right">
              <Button size="sm" onClick={ask}>
                Turn on
              </Button>
            </span>
          )}
        </dd>
        <dt>What they say</dt>
        <dd className="setr__w">Who asks, and on which connection. Never a statement or a reason.</dd>
        <dt>In this window</dt>
        <dd className="setr__w">Three at most. What is held stays until you dismiss it.</dd>
      </dl>
    </div>
  )
}

const pageWords: Readonly<Record<Permission, string>> = {
  granted: 'On, while you look elsewhere',
  default: 'Off',
  denied: 'Refused in the browser: allow them in its settings of this page',
  none: 'This browser has none',
}
