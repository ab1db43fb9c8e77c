import { useEffect } from 'react'
import { navigation, useDesk } from '../frame/desk.tsx'
import { useRpc } from '../rpc/context.tsx'
import { follow } from '../rpc/follow.ts'
import { useStore } from '../rpc/store.ts'
import { Button } from '../theme/controls.tsx'

/** Tells through the browser what the core has to tell, while nobody looks at the page. A click opens the request. */
export function SystemNotices() {
  const { client, platform } = useRpc()
  const desk = useDesk()
  const page = platform.notifications === 'page'
  useEffect(() => {
    if (!page) return
    const life = new AbortController()
    const open = (id: string) => navigation(desk).request(id, 'review')
    void follow(
      (signal) => client.app.notices(undefined, { signal }),
      (event) => desk.system.tell(event, open),
      life.signal,
    )
    return () => life.abort()
  }, [client, desk, page])
  return null
}

/** Offers notifications where the browser has to be allowed to show them. */
export function TellMe() {
  const { system } = useDesk()
  if (useStore(system.permission) !== 'default') return null
  const ask = () => {
    system.ask().catch((error: unknown) => console.warn('Notifications were not turned on.', error))
  }
  return (
    <div className="row side__tell sm t2">
      <span className="grow">System notifications for requests</span>
      <Button size="sm" kind="ghost" icon="bell" onClick={ask}>
        Turn on
      </Button>
    </div>
  )
}
