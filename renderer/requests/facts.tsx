import type { AccessRequest, Origin } from '../../shared/api/models.ts'
import { Icon, type IconName } from '../decisions/icon.tsx'

/** Who asks, and from where, as far as the gateway knows it itself. */
export function Facts({ request }: { request: AccessRequest }) {
  const { requester, origin } = request
  const groups = requester.groups.join(', ')
  return (
    <div className="cxs">
      <Fact
        icon={origin?.onCall ? 'siren' : 'user'}
        label="On call"
        value={origin === undefined ? 'Unknown' : origin.onCall ? 'Yes, now' : 'No'}
        sub={groups === '' ? 'in no group' : groups}
      />
      <Fact
        icon="fingerprint"
        label="MFA"
        value={origin === undefined ? 'Unknown' : origin.mfa ? 'Second factor' : 'Not used'}
        sub="at sign-in"
        warn={origin?.mfa === false}
      />
      <Fact icon="laptop" label="Device" {...device(origin)} />
      <Fact icon="map-pin" label="Place" value={request.sourceIp} sub="address of the client" />
    </div>
  )
}

/** The computer's name where its client says one: nobody has checked it. */
function device(origin: Origin | undefined): { value: string; sub: string; title?: string } {
  const { value, sub } = client(origin?.client)
  if (origin?.device === undefined) return { value, sub }
  return { value: origin.device, sub: value, title: `${origin.device}: so the client calls its computer` }
}

function client(kind: Origin['client']): { value: string; sub: string } {
  switch (kind) {
    case 'desktop':
      return { value: 'Desktop client', sub: 'through its tunnel' }
    case 'cli':
      return { value: 'Command line', sub: 'sallyport' }
    case 'endpoint':
      return { value: 'Native tool', sub: 'by the desktop client' }
    case 'native':
      return { value: 'Native tool', sub: 'at the gateway, with a token' }
    case 'machine':
      return { value: 'Machine identity', sub: 'no person at it' }
    case undefined:
      return { value: 'Unknown', sub: 'not kept at that time' }
    default:
      return kind satisfies never
  }
}

function Fact({
  icon,
  label,
  value,
  sub,
  title = value,
  warn,
}: {
  icon: IconName
  label: string
  value: string
  sub: string
  title?: string
  warn?: boolean
}) {
  return (
    <div className="cx">
      <Icon name={icon} />
      <div className="grow">
        <div className="cx__l">{label}</div>
        <div className={warn ? 'cx__v trunc fg d-held' : 'cx__v trunc'} title={title}>
          {value}
        </div>
        <div className="cx__s trunc" title={sub}>
          {sub}
        </div>
      </div>
    </div>
  )
}
