import { useState } from 'react'
import { Icon } from '../decisions/icon.tsx'
import { useGatewayHost } from '../frame/title-bar.tsx'
import { useAuth, useGatewayLink, usePerson, useRpc } from '../rpc/context.tsx'
import { Button } from '../theme/controls.tsx'

/** Which gateway, as whom, and what holds there whatever one sets. */
export function Gateway() {
  const { client } = useRpc()
  const auth = useAuth()
  const person = usePerson()
  const link = useGatewayLink()
  const host = useGatewayHost()
  const [switching, setSwitching] = useState(false)
  const signOut = () => {
    client.auth.signOut().catch((error: unknown) => console.warn('Signing out failed.', error))
  }
  const name = auth?.state === 'signed-in' ? `${auth.gatewayName} · ` : ''
  const latency = link?.latencyMs === undefined ? '' : ` · ${Math.round(link.latencyMs)} ms`
  return (
    <div className="card gwc">
      <div className="row row--12">
        <span className="gwc__i">
          <Icon name="shield-check" size={20} />
        </span>
        <div className="col grow gwc__n">
          <b className="m">{host}</b>
          <span className="sm t2">
            {name}
            {link?.state === 'down' ? 'Not answering' : `Connected${latency}`}
          </span>
        </div>
        {!switching && (
          <Button size="sm" onClick={() => setSwitching(true)}>
            Switch…
          </Button>
        )}
      </div>
      {switching && (
        <fieldset className="row gwc__s" aria-label="Switch the gateway">
          <span className="sm t2 grow">
            You are signed out here, then asked for the other address. Drafts are kept.
          </span>
          <Button size="sm" kind="primary" onClick={signOut}>
            Sign out and switch
          </Button>
          <Button size="sm" kind="ghost" onClick={() => setSwitching(false)}>
            Stay
          </Button>
        </fieldset>
      )}
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
        <dt>
          Groups <Icon name="lock" size={14} />
        </dt>
        <dd>
          <span className="trunc">{person?.groups.join(', ')}</span>
        </dd>
        <dt>
          If it stops answering <Icon name="lock" size={14} />
        </dt>
        <dd>Pause every session and send nothing</dd>
        <dt>Credentials</dt>
        <dd>Held by the gateway. None on this device.</dd>
      </dl>
    </div>
  )
}
