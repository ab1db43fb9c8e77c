import { Icon } from '../decisions/icon.tsx'
import { clock, useNow } from '../decisions/time.ts'
import { useGatewayLink, usePause, useRpc } from '../rpc/context.tsx'
import { Button } from '../theme/controls.tsx'
import { useNavigation } from './desk.tsx'
import { useGatewayHost } from './title-bar.tsx'

/** Says that nothing is sent, and that nothing is lost, while the gateway or the core is away. */
export function PauseBanner() {
  const pause = usePause()
  const link = useGatewayLink()
  const host = useGatewayHost()
  const now = useNow()
  const { client } = useRpc()
  const go = useNavigation()
  if (pause !== 'gateway-down' && pause !== 'core-down') return null
  const since = link === undefined ? 0 : now - Date.parse(link.since)
  const tryNow = () => {
    // Any call makes the core ask the gateway; its answer comes as a link event.
    client.gateway.me().catch(() => undefined)
  }
  return (
    <div className="banner banner--app" role="status">
      <span className="fg d-blocked">
        <Icon name="cloud-off" />
      </span>
      <span className="trunc">
        <b className="m">{pause === 'core-down' ? 'Sallyport on this computer' : host} is not answering.</b>{' '}
        <span className="t2">Sessions are paused and nothing is sent. Your tabs and drafts are kept.</span>
      </span>
      <span className="right row">
        {pause === 'gateway-down' && <span className="sm t2 num">for {clock(since)}</span>}
        <Button size="sm" onClick={tryNow}>
          Try now
        </Button>
        <Button size="sm" kind="ghost" onClick={() => go.area('settings')}>
          Diagnostics
        </Button>
      </span>
    </div>
  )
}
