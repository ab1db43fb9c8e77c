import { useMutation } from '@tanstack/react-query'
import { type ReactNode, useId, useState } from 'react'
import type { Connection } from '../../shared/api/models.ts'
import type { Endpoint } from '../../shared/rpc/contract.ts'
import { copyText } from '../decisions/copy.ts'
import { EnvTag, kindIcon } from '../decisions/environment.tsx'
import { Icon } from '../decisions/icon.tsx'
import { counted } from '../decisions/words.ts'
import { useNavigation } from '../frame/desk.tsx'
import { usePause, usePlatform, useRpc } from '../rpc/context.tsx'
import { problemOf } from '../rpc/problem.ts'
import { useConnections } from '../sidebar/connections.ts'
import { Button, Empty, IconButton } from '../theme/controls.tsx'
import { EndpointDetails } from './endpoint-details.tsx'
import { useEndpoints } from './endpoints.ts'
import { briefOf, snippetsOf } from './snippets.ts'

/** Local addresses for psql, ssh and every other tool; the same policies and recording apply. */
export function NativeTools() {
  const connections = useConnections().data ?? []
  const endpoints = useEndpoints()
  return (
    <>
      <p className="t2 stg__p">Fixed ports on this device only. The same policies and recording apply.</p>
      <div className="card">
        {connections.length === 0 ? (
          <Empty icon="plug" title="No connection is open to you" text="What you may reach is listed here." />
        ) : (
          <table className="tb ptb" aria-label="Native tools">
            <thead>
              <tr>
                <th className="ptb__c">Connection</th>
                <th className="ptb__a">Local address</th>
                <th>Command</th>
                <th className="ptb__s">State</th>
                <th className="ptb__x">
                  <span className="visually-hidden">What can be done</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {connections.map((connection) => (
                <Line
                  key={connection.name}
                  connection={connection}
                  endpoint={endpoints.data?.find((e) => e.connection === connection.name)}
                />
              ))}
            </tbody>
          </table>
        )}
        {endpoints.error && (
          <p className="err stg__e" role="alert">
            {problemOf(endpoints.error).message}
          </p>
        )}
      </div>
    </>
  )
}

function Line({ connection, endpoint }: { connection: Connection; endpoint: Endpoint | undefined }) {
  const [open, setOpen] = useState(false)
  const details = useId()
  const go = useNavigation()
  const { os } = usePlatform()
  const { name } = connection
  const locked = connection.access === 'locked'
  const command = endpoint && snippetsOf(endpoint, os)[0]
  return (
    <>
      <tr className={endpoint?.problem || open ? 'bad' : undefined}>
        <td>
          <span className="row">
            <EnvTag environment={connection.environment} />
            <span className="t3">
              <Icon name={kindIcon(connection)} size={14} />
            </span>
            <span className={locked ? 'trunc t3' : 'trunc'} title={name}>
              {name}
            </span>
          </span>
        </td>
        <td className={locked ? 'mono t2' : 'mono'}>{endpoint && `${endpoint.host}:${endpoint.port}`}</td>
        {endpoint?.problem ? (
          <td colSpan={2}>
            <span className="row row--6">
              <Icon name="alert" size={14} />{' '}
              {endpoint.problem.code === 'conflict' ? 'Taken by another app' : 'Not open'}
            </span>
          </td>
        ) : (
          <>
            <td className={endpoint?.kind === 'rdp' ? 't2 ptb__n' : 'mono t2'} title={command?.text}>
              {endpoint && briefOf(endpoint, os)}
            </td>
            <td>
              <State connection={connection} endpoint={endpoint} />
            </td>
          </>
        )}
        <td className="ptb__x">
          <span className="row row--4 ptb__b">
            {command && !locked && (
              <IconButton icon="copy" label={`Copy the command for ${name}`} onClick={() => copyText(command.text)} />
            )}
            {locked ? (
              <IconButton
                icon="send"
                label={`Request access to ${name}`}
                onClick={() => go.compose({ connection: name })}
              />
            ) : (
              endpoint && (
                <IconButton
                  icon={open ? 'chev-up' : 'chev-down'}
                  label={open ? `Close the details of ${name}` : `Port and snippets of ${name}`}
                  aria-expanded={open}
                  aria-controls={details}
                  onClick={() => setOpen(!open)}
                />
              )
            )}
          </span>
        </td>
      </tr>
      {endpoint?.problem && <Taken endpoint={endpoint} last={!open} />}
      {open && endpoint && (
        <tr className="ptb__d">
          <td colSpan={5} id={details}>
            <EndpointDetails endpoint={endpoint} />
          </td>
        </tr>
      )}
    </>
  )
}

/** Open or not, used or not. Each has a word; the dot repeats it. */
function State({ connection, endpoint }: { connection: Connection; endpoint: Endpoint | undefined }): ReactNode {
  if (connection.access === 'locked') {
    return (
      <span className="row row--5 t2">
        <Icon name="lock" size={12} />
        Locked
      </span>
    )
  }
  if (endpoint === undefined) return null
  const { open, clients } = endpoint
  return (
    <span className="row row--5" title={open ? counted(clients, 'tool') : undefined}>
      <span className={open && clients > 0 ? 'dot dot--open' : 'dot'} aria-hidden="true" />
      {open ? clients > 0 ? `In use · ${clients}` : 'Open' : <span className="t2">Ready</span>}
    </span>
  )
}

/** Its fixed port is some other program's: another one, or again. */
function Taken({ endpoint, last }: { endpoint: Endpoint; last: boolean }) {
  const { client } = useRpc()
  const off = usePause() !== undefined
  const { connection, port, freePort, problem } = endpoint
  const open = useMutation({
    mutationFn: (at: number | undefined) =>
      client.endpoints.open({ connection, ...(at === undefined ? {} : { port: at }) }),
  })
  return (
    <tr className={last ? 'bad2' : 'bad2 bad'}>
      <td colSpan={5}>
        <span className="row">
          <span className="t2 trunc grow" role="alert">
            {open.error
              ? problemOf(open.error).message
              : problem?.code === 'conflict'
                ? `Opens by itself once port ${port} is free.`
                : problem?.message}
          </span>
          {freePort !== undefined && (
            <Button size="sm" disabled={off || open.isPending} onClick={() => open.mutate(freePort)}>
              Use {freePort} instead
            </Button>
          )}
          <Button size="sm" kind="ghost" disabled={off || open.isPending} onClick={() => open.mutate(undefined)}>
            Check again
          </Button>
        </span>
      </td>
    </tr>
  )
}
