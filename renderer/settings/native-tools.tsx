import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import type { Connection } from '../../shared/api/models.ts'
import type { Endpoint } from '../../shared/rpc/contract.ts'
import { EnvTag, kindIcon } from '../decisions/environment.tsx'
import { Icon } from '../decisions/icon.tsx'
import { usePause, useRpc } from '../rpc/context.tsx'
import { problemOf } from '../rpc/problem.ts'
import { useConnections } from '../sidebar/connections.ts'
import { Button, IconButton } from '../theme/controls.tsx'

/** Local addresses for psql, ssh and every other tool; the same policies and recording apply. */
export function NativeTools() {
  const { queries } = useRpc()
  const connections = (useConnections().data ?? []).filter((c) => c.access === 'open')
  const endpoints = useQuery(queries.endpoints.list.queryOptions())
  return (
    <section id="native-tools">
      <h2>Native tools</h2>
      <p className="t2 stg__p">Fixed ports on this device only. The same policies and recording apply.</p>
      <div className="card">
        <table className="tb ptb" aria-label="Native tools">
          <thead>
            <tr>
              <th className="ptb__c">Connection</th>
              <th className="ptb__a">Local address</th>
              <th>Command</th>
              <th className="ptb__s">State</th>
            </tr>
          </thead>
          <tbody>
            {connections.map((connection) => (
              <Row
                key={connection.name}
                connection={connection}
                endpoint={endpoints.data?.find((e) => e.connection === connection.name)}
              />
            ))}
          </tbody>
        </table>
        {endpoints.error && <p className="err stg__e">{problemOf(endpoints.error).message}</p>}
        {connections.length === 0 && <p className="t2 stg__e">No connection is open to you.</p>}
      </div>
    </section>
  )
}

function Row({ connection, endpoint }: { connection: Connection; endpoint: Endpoint | undefined }) {
  const { client, queries } = useRpc()
  const cache = useQueryClient()
  const off = usePause() !== undefined
  const toggle = useMutation({
    mutationFn: (open: boolean) =>
      open
        ? client.endpoints.open({ connection: connection.name })
        : client.endpoints.close({ connection: connection.name }),
    onSettled: () => cache.invalidateQueries({ queryKey: queries.endpoints.key() }),
  })
  const open = endpoint?.open ?? false
  const command = endpoint && commandFor(endpoint)
  return (
    <>
      <tr className={toggle.error ? 'bad' : undefined}>
        <td>
          <span className="row">
            <EnvTag environment={connection.environment} />
            <span className="t3">
              <Icon name={kindIcon(connection)} size={14} />
            </span>
            <span className="trunc">{connection.name}</span>
          </span>
        </td>
        <td className="mono">{endpoint && `${endpoint.host}:${endpoint.port}`}</td>
        <td className="mono t2" title={command}>
          <span className="row">
            <span className="trunc">{command}</span>
            {command && (
              <IconButton
                icon="copy"
                label={`Copy the command for ${connection.name}`}
                onClick={() => {
                  navigator.clipboard
                    .writeText(command)
                    .catch((error: unknown) => console.warn('Nothing was copied.', error))
                }}
              />
            )}
          </span>
        </td>
        <td>
          <span className="row">
            <span className={open ? 'dot dot--open' : 'dot'} aria-hidden="true" />
            <Button
              size="sm"
              kind="ghost"
              disabled={off || toggle.isPending}
              aria-label={open ? `Close the port of ${connection.name}` : `Open a port for ${connection.name}`}
              onClick={() => toggle.mutate(!open)}
            >
              {open ? 'Close' : 'Open'}
            </Button>
          </span>
        </td>
      </tr>
      {toggle.error && (
        <tr className="bad2">
          <td colSpan={4}>
            <span className="err" role="alert">
              {problemOf(toggle.error).message} {problemOf(toggle.error).hint}
            </span>
          </td>
        </tr>
      )}
    </>
  )
}

/** The command line that reaches an endpoint. */
function commandFor({ kind, host, port, user, database }: Endpoint): string {
  if (kind === 'postgres') return `psql -h ${host} -p ${port} -U ${user} ${database ?? ''}`.trim()
  if (kind === 'ssh') return `ssh -p ${port} ${user}@${host}`
  return `${host}:${port}`
}
