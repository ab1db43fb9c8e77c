import { Drawn } from '../decisions/drawn.tsx'
import { Icon, type IconName } from '../decisions/icon.tsx'
import { usePerson } from '../rpc/context.tsx'
import { Tip } from '../theme/controls.tsx'
import { type Area, useNavigation, usePlace } from './desk.tsx'
import { useSideRoom } from './use-room.ts'
import { useRequests, useWaitingForMe } from './waiting.ts'

/** The four areas. */
export function ActivityBar() {
  const waiting = useWaitingForMe()
  const me = usePerson()?.id
  // Who has asked for nothing is here to review.
  const own = useRequests().requests.some((request) => request.requester.id === me)
  const go = useNavigation()
  const { area } = usePlace()
  const room = useSideRoom()
  return (
    <nav className="act" aria-label="Areas">
      <Item
        area="connections"
        label="Connections"
        icon="plug"
        onClick={() => (area === 'connections' && !room ? go.toggleSidebar(room) : go.area('connections'))}
      />
      <Item
        area="requests"
        label="Requests"
        icon="inbox"
        badge={waiting}
        onClick={() => go.requests(waiting > 0 || !own ? 'review' : 'mine')}
      />
      <Item area="sessions" label="Sessions" icon="replay" onClick={() => go.area('sessions')} />
      <span className="act__sp" />
      <Item area="settings" label="Settings" icon="sliders" onClick={() => go.area('settings')} />
    </nav>
  )
}

function Item({
  area,
  label,
  icon,
  badge = 0,
  onClick,
}: {
  area: Area
  label: string
  icon: IconName
  badge?: number
  onClick(): void
}) {
  const on = usePlace().area === area
  return (
    <Tip label={label} side="right">
      <button
        type="button"
        className={on ? 'act__i is-on' : 'act__i'}
        aria-label={badge > 0 ? `${label}, ${badge} waiting` : label}
        aria-current={on ? 'page' : undefined}
        onClick={onClick}
      >
        <Icon name={icon} size={20} />
        {badge > 0 && <Drawn className="badge badge--held" text={String(badge)} />}
      </button>
    </Tip>
  )
}
