import { useState } from 'react'
import type { DesktopState } from '../../shared/rpc/desktop.ts'
import { Icon } from '../decisions/icon.tsx'
import { useGatewayHost } from '../frame/title-bar.tsx'
import { usePlatform } from '../rpc/context.tsx'
import { IconButton } from '../theme/controls.tsx'
import { programWords } from './words.ts'

const machines = { mac: 'This Mac', windows: 'This PC', linux: 'This computer' } as const

/** The way from this machine to the desktop, with how far it is open now. */
export function Route({ desktop, connection }: { desktop: DesktopState; connection: string }) {
  const { os } = usePlatform()
  const gateway = useGatewayHost()
  const { phase, endpoint, program } = desktop
  const entered = phase.state === 'open'
  const listening = endpoint !== undefined
  const asked = entered || listening || phase.state === 'held'
  const address = endpoint === undefined ? undefined : `${endpoint.host}:${endpoint.port}`
  return (
    <section className="path" aria-label="Route">
      <div className="node">
        <Icon name="laptop" />
        <div>
          <b className="m">{machines[os]}</b>
          <span>{program === undefined ? 'No program' : programWords(program)}</span>
        </div>
      </div>
      <Wire label="local" on={entered} />
      <div className={listening ? 'node' : 'node node--off'}>
        <Icon name="plug" />
        <div>
          <b className={address === undefined ? 'm' : 'm mono'}>{address ?? 'No endpoint'}</b>
          <span>{entered ? 'This program alone' : listening ? 'Waits for the program' : 'Opens with the session'}</span>
        </div>
        {address !== undefined && <Copy text={address} />}
      </div>
      <Wire label="TLS" on={asked} />
      <div className="node node--gw">
        <Icon name="shield-check" />
        <div>
          <b className="m trunc">{gateway}</b>
          <span className="row row--4">
            Policy {entered && <span className="rec">REC</span>}
            {phase.state === 'held' && 'waits for an approval'}
          </span>
        </div>
      </div>
      <Wire label="RDP" on={entered} />
      <div className={entered ? 'node' : 'node node--off'}>
        <Icon name="monitor" />
        <div>
          <b className="m trunc">{connection}</b>
          <span>{entered ? 'Connected' : 'Not reached'}</span>
        </div>
      </div>
    </section>
  )
}

function Wire({ label, on }: { label: string; on: boolean }) {
  return (
    <span className={on ? 'wire' : 'wire wire--off'}>
      <em>{label}</em>
    </span>
  )
}

function Copy({ text }: { text: string }) {
  const [copied, setCopied] = useState(false)
  return (
    <IconButton
      icon={copied ? 'check' : 'copy'}
      label={copied ? 'Copied' : 'Copy endpoint'}
      onClick={() => {
        navigator.clipboard.writeText(text).then(
          () => setCopied(true),
          (error: unknown) => console.warn('Nothing was copied.', error),
        )
      }}
    />
  )
}
