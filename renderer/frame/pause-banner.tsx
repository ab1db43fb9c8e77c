import { Icon } from '../decisions/icon.tsx'
import { clock, useNow } from '../decisions/time.ts'
import { useCore, useGatewayLink, usePause, useRpc } from '../rpc/context.tsx'
import { Button } from '../theme/controls.tsx'
import { coreWords } from './core-words.ts'
import { useNavigation } from './desk.tsx'
import { useGatewayHost } from './title-bar.tsx'

/** Says that nothing is sent, and that nothing is lost, while the gateway or the core is away. */
export function PauseBanner() {
  const pause = usePause()
  const core = useCore()
  const host = useGatewayHost()
  if (pause !== 'gateway-down' && pause !== 'core-down') return null
  const words =
    pause === 'core-down'
      ? coreWords(core)
      : {
          what: `${host} is not answering.`,
          next: 'Sessions are paused and nothing is sent. Your tabs and drafts are kept.',
        }
  return (
    <div className="banner banner--app" role="status">
      <span className="fg d-blocked">
        <Icon name="cloud-off" />
      </span>
      <span className="trunc">
        <b className="m">{words.what}</b> <span className="t2">{words.next}</span>
      </span>
      {pause === 'gateway-down' && <OfGateway />}
    </div>
  )
}

/** How long it has been away, and what to do about it. Of a core that is away nothing can be asked; it is looked for all the time. */
function OfGateway() {
  const link = useGatewayLink()
  const now = useNow()
  const { client } = useRpc()
  const go = useNavigation()
  const since = link === undefined ? 0 : now - Date.parse(link.since)
  const tryNow = () => {
    // Any call makes the core ask the gateway; its answer comes as a link event.
    client.gateway.me().catch(() => undefined)
  }
  return (
    <span className="right row">
      <span className="sm t2 num">for {clock(since)}</span>
      <Button size="sm" onClick={tryNow}>
        Try now
      </Button>
      <Button size="sm" kind="ghost" onClick={() => go.area('settings')}>
        Diagnostics
      </Button>
    </span>
  )
}
