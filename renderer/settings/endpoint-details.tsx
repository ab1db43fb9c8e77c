import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import type { Endpoint } from '../../shared/rpc/contract.ts'
import { copyText } from '../decisions/copy.ts'
import { usePause, usePlatform, useRpc } from '../rpc/context.tsx'
import { problemOf } from '../rpc/problem.ts'
import { Button, Check, Segments } from '../theme/controls.tsx'
import { snippetsOf } from './snippets.ts'

/** A connection's port, and what to paste into each tool. */
export function EndpointDetails({ endpoint }: { endpoint: Endpoint }) {
  const { client } = useRpc()
  const off = usePause() !== undefined
  const { connection, open, atStart } = endpoint
  const toggle = useMutation({
    mutationFn: () => (open ? client.endpoints.close({ connection }) : client.endpoints.open({ connection })),
  })
  const configure = useMutation({
    mutationFn: (change: { port?: number; atStart?: boolean }) => client.endpoints.configure({ connection, ...change }),
  })
  const error = configure.error ?? (endpoint.problem === undefined ? toggle.error : undefined)
  return (
    <div className="epd">
      <div className="row row--12 epd__r">
        <Button
          size="sm"
          kind={open ? 'default' : 'primary'}
          disabled={off || toggle.isPending}
          onClick={() => toggle.mutate()}
        >
          {open ? 'Close the port' : 'Open the port'}
        </Button>
        <Check
          label="Open when Sallyport starts"
          checked={atStart}
          disabled={off}
          onChange={(on) => configure.mutate({ atStart: on })}
        />
        <Port endpoint={endpoint} disabled={off || open} onChange={(port) => configure.mutate({ port })} />
      </div>
      {error && (
        <p className="err" role="alert">
          {problemOf(error).message} {problemOf(error).hint}
        </p>
      )}
      <Snippets endpoint={endpoint} />
    </div>
  )
}

function Port({
  endpoint,
  disabled,
  onChange,
}: {
  endpoint: Endpoint
  disabled: boolean
  onChange(port: number): void
}) {
  const [typed, setTyped] = useState<string | undefined>(undefined)
  const value = typed ?? String(endpoint.port)
  const port = Number(value)
  const valid = Number.isInteger(port) && port >= 1024 && port <= 65_535
  const done = () => {
    if (valid && port !== endpoint.port) onChange(port)
    if (valid) setTyped(undefined)
  }
  return (
    <label className="row row--6 sm right" title={disabled ? 'Close the port to change it.' : undefined}>
      <span className="t2">Port</span>
      <input
        className={valid ? 'epd__p mono' : 'epd__p mono is-error'}
        inputMode="numeric"
        value={value}
        readOnly={disabled}
        aria-invalid={!valid}
        aria-label={`Port of ${endpoint.connection}, 1024 to 65535`}
        onChange={(event) => setTyped(event.target.value)}
        onBlur={done}
        onKeyDown={(event) => {
          if (event.key === 'Enter') done()
          if (event.key === 'Escape') setTyped(undefined)
        }}
      />
    </label>
  )
}

function Snippets({ endpoint }: { endpoint: Endpoint }) {
  const { os } = usePlatform()
  const all = snippetsOf(endpoint, os)
  const [tool, setTool] = useState(all[0]?.tool ?? '')
  const [copied, setCopied] = useState('')
  const shown = all.find((snippet) => snippet.tool === tool) ?? all[0]
  if (shown === undefined) return null
  return (
    <>
      <Segments
        label={`Snippets for ${endpoint.connection}`}
        value={shown.tool}
        onChange={setTool}
        options={all.map((snippet) => ({ value: snippet.tool, label: snippet.tool }))}
      />
      <div className="epd__s">
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard has to reach it */}
        <section className="well scroll" tabIndex={0} aria-label={`For ${shown.tool}`}>
          {shown.text}
        </section>
        <div className="row">
          <Button
            size="sm"
            icon="copy"
            onClick={() => {
              copyText(shown.text)
              setCopied(shown.tool)
            }}
          >
            Copy for {shown.tool}
          </Button>
          <span className="sm t2" role="status">
            {copied === shown.tool ? `Copied. ${shown.how}` : shown.how}
          </span>
        </div>
      </div>
    </>
  )
}
