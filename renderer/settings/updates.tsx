import { useMutation } from '@tanstack/react-query'
import { type ReactNode, useEffect, useState } from 'react'
import type { UpdateState } from '../../shared/rpc/contract.ts'
import { useActions } from '../actions/use-actions.ts'
import { hourMinute } from '../decisions/time.ts'
import { usePlatform, useRpc, useSettings } from '../rpc/context.tsx'
import { follow } from '../rpc/follow.ts'
import { problemOf } from '../rpc/problem.ts'
import { Button, Segments } from '../theme/controls.tsx'

/** Which version this is, and how the next one comes. */
export function Updates() {
  const { client, live } = useRpc()
  const { version } = usePlatform()
  const chosen = useSettings()?.updates ?? 'automatic'
  const state = useUpdate()
  const check = useMutation({ mutationFn: () => client.app.checkUpdate() })
  const install = useMutation({ mutationFn: () => client.app.installUpdate() })
  const error = check.error ?? install.error
  const possible = state !== undefined && state.state !== 'none'
  useActions({ 'app.checkUpdate': () => check.mutate() }, possible)
  const busy = state?.state === 'checking' || state?.state === 'downloading'
  return (
    <div className="card">
      <dl className="setr setr--p">
        <dt>Version</dt>
        <dd>
          <span>{version}</span>
          <span className="t2 trunc" role="status">
            {state && words(state)}
          </span>
          <span className="right row">
            {state?.state === 'ready' ? (
              <Button size="sm" kind="primary" disabled={install.isPending} onClick={() => install.mutate()}>
                Restart and install
              </Button>
            ) : (
              possible && (
                <Button size="sm" disabled={busy || check.isPending} onClick={() => check.mutate()}>
                  {state.state === 'available' ? 'Fetch it' : 'Check now'}
                </Button>
              )
            )}
          </span>
        </dd>
        {state?.state === 'none' ? (
          <>
            <dt>How it is updated</dt>
            <dd className="setr__w">{state.why}</dd>
          </>
        ) : (
          <>
            <dt>New versions</dt>
            <dd>
              <Segments
                label="New versions"
                value={chosen}
                onChange={(updates) => {
                  live.saveSettings({ updates }).catch((e: unknown) => console.warn('The setting was not saved.', e))
                }}
                options={[
                  { value: 'automatic', label: 'Fetch by itself' },
                  { value: 'manual', label: 'When I ask' },
                ]}
              />
              <span className="right sm t2">Installed when the app closes</span>
            </dd>
          </>
        )}
      </dl>
      {error && (
        <p className="err stg__e" role="alert">
          {problemOf(error).message} {problemOf(error).hint}
        </p>
      )}
    </div>
  )
}

function useUpdate(): UpdateState | undefined {
  const { client } = useRpc()
  const [state, setState] = useState<UpdateState | undefined>(undefined)
  useEffect(() => {
    const abort = new AbortController()
    void follow((signal) => client.app.update(undefined, { signal }), setState, abort.signal)
    return () => abort.abort()
  }, [client])
  return state
}

function words(update: UpdateState): ReactNode {
  switch (update.state) {
    case 'none':
      return ''
    case 'current':
      return update.checkedAt === undefined ? 'not checked yet' : `up to date, checked ${hourMinute(update.checkedAt)}`
    case 'checking':
      return 'checking'
    case 'available':
      return `${update.version} is there`
    case 'downloading':
      return `fetching ${update.version}, ${Math.round(update.percent)}%`
    case 'ready':
      return `${update.version} is ready, signature verified`
    case 'failed':
      return update.problem.message
    default:
      return update satisfies never
  }
}
