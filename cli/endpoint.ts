import type { Duplex } from 'node:stream'
import { asked, cancelStatement, Endpoints, fail, openSession, targetOf } from '../main/client.ts'
import type { Connection } from '../shared/api/models.ts'
import type { ConnectionKind } from '../shared/connection.ts'
import type { Endpoint } from '../shared/rpc/contract.ts'
import { type Caller, settings } from './context.ts'
import { say } from './output.ts'

/** Finds a connection by name, and checks that it speaks the protocol that is wanted. */
export async function connectionOf(who: Caller, name: string, kind?: ConnectionKind): Promise<Connection> {
  const connection = await asked(who.api.connections.get({ name }))
  if (kind !== undefined && connection.kind !== kind) {
    throw fail('bad-input', `${name} speaks ${connection.kind}, not ${kind}.`)
  }
  return connection
}

/**
 * Opens a local endpoint. `port` undefined: the connection's fixed port; a number: that one, this time only, 0 for a free one.
 * `first`: an open tunnel for the first tool that comes.
 */
export async function openEndpoint(
  who: Caller,
  connection: Connection,
  port: number | undefined,
  first?: Duplex,
): Promise<{ endpoint: Endpoint; close(): Promise<void> }> {
  const store = port === undefined ? await settings() : undefined
  let prepared = first
  const endpoints = new Endpoints({
    dial: async (name) => {
      const stream = prepared
      prepared = undefined
      if (stream !== undefined && !stream.destroyed) return stream
      return (await who.confirmed((me) => openSession(me, name, { door: 'endpoint', annotations: 'text' }))).stream
    },
    cancel: (name, key) => who.confirmed((me) => cancelStatement(me, name, key)),
    port: (name) => store?.port(who.info.url, name),
    savePort: async (name, bound) => store?.savePort(who.info.url, name, bound),
    warn: (message) => say(`sallyport: ${message}`),
  })
  const { id } = await who.person()
  const endpoint = await endpoints.open(targetOf(connection, id), port)
  return {
    endpoint,
    async close() {
      prepared?.destroy()
      await endpoints.closeAll()
    },
  }
}
