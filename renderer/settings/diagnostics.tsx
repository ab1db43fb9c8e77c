import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { copyText } from '../decisions/copy.ts'
import { Icon } from '../decisions/icon.tsx'
import { counted } from '../decisions/words.ts'
import { useAuth, useGatewayLink, usePlatform, useRpc } from '../rpc/context.tsx'
import { problemOf } from '../rpc/problem.ts'
import { Button } from '../theme/controls.tsx'
import { useEndpoints } from './endpoints.ts'

const systems = { mac: 'macOS', windows: 'Windows', linux: 'Linux' } as const

/** How things stand, and the bundle that tells support. */
export function DiagnosticsSection() {
  const { queries } = useRpc()
  const platform = usePlatform()
  const link = useGatewayLink()
  const auth = useAuth()
  const me = useQuery(queries.gateway.me.queryOptions({ enabled: auth?.state === 'signed-in' }))
  const endpoints = useEndpoints().data ?? []
  const taken = endpoints.filter((endpoint) => endpoint.problem !== undefined).length
  const up = link?.state === 'up'
  const latency = link?.latencyMs === undefined ? '' : ` in ${Math.round(link.latencyMs)} ms`
  return (
    <div className="card">
      <dl className="setr setr--p">
        <dt>Gateway</dt>
        <dd>
          <Icon name={up ? 'check' : 'alert'} size={14} />
          {up ? `Reachable${latency}` : 'Not answering'}
        </dd>
        <dt>Gateway version</dt>
        <dd>{me.data?.gateway.version ?? 'Known once it answers'}</dd>
        <dt>Sign-in</dt>
        <dd>
          <Icon name={auth?.state === 'signed-in' ? 'check' : 'alert'} size={14} />
          {auth?.state === 'signed-in'
            ? me.data && `Ends ${new Date(me.data.signInEndsAt).toLocaleString('en-GB')}`
            : 'Ended'}
        </dd>
        <dt>Local ports</dt>
        <dd>
          <Icon name={taken === 0 ? 'check' : 'alert'} size={14} />
          {taken === 0
            ? `${counted(endpoints.filter((e) => e.open).length, 'port')} open`
            : `${taken} of ${endpoints.length} could not be opened`}
        </dd>
        <dt>This client</dt>
        <dd>
          Sallyport {platform.version}, {platform.shell === 'electron' ? 'desktop' : 'in the browser'},{' '}
          {systems[platform.os]}
        </dd>
      </dl>
      <Bundle />
    </div>
  )
}

/** It is shown before it is saved: nobody hands on what they have not seen. */
export function Bundle() {
  const { client } = useRpc()
  const [open, setOpen] = useState(false)
  const make = useMutation({ mutationFn: () => client.app.diagnostics() })
  const save = useMutation({ mutationFn: () => client.app.saveDiagnostics() })
  const error = make.error ?? save.error
  return (
    <>
      <dl className="setr setr--p setr--more">
        <dt>Support bundle</dt>
        <dd>
          <span className="t2 trunc">Log and versions, no statements, no secrets</span>
          <span className="right">
            <Button
              size="sm"
              icon={open ? 'chev-up' : 'download'}
              aria-expanded={open}
              onClick={() => {
                if (!open) make.mutate()
                setOpen(!open)
              }}
            >
              {open ? 'Close' : 'Create…'}
            </Button>
          </span>
        </dd>
      </dl>
      {open && (
        <div className="bun">
          {make.data && (
            // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard has to reach it
            <section className="well bun__t scroll" tabIndex={0} aria-label="What the bundle holds">
              {make.data.text}
            </section>
          )}
          <div className="row">
            <Button size="sm" kind="primary" disabled={save.isPending} onClick={() => save.mutate()}>
              Save to downloads
            </Button>
            <Button size="sm" kind="ghost" onClick={() => make.data && copyText(make.data.text)}>
              Copy
            </Button>
            <span className="sm t2 trunc" role="status" title={save.data?.path}>
              {save.data && `Saved as ${save.data.path}`}
            </span>
          </div>
        </div>
      )}
      {error && (
        <p className="err stg__e" role="alert">
          {problemOf(error).message} {problemOf(error).hint}
        </p>
      )}
    </>
  )
}
