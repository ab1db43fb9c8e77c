import type { ApiClient } from '../gateway/client.ts'
import { rpc } from './base.ts'

/** The gateway API as far as a page may use it: the same calls, with the sign-in of whoever is signed in now. */
export function forwardRouter(api: () => ApiClient) {
  const { connections, sessions, recordings, requests, grants, identities } = rpc.gateway
  return {
    me: rpc.gateway.me.handler(({ signal }) => api().me(undefined, { signal })),
    connections: {
      list: connections.list.handler(({ signal }) => api().connections.list(undefined, { signal })),
      schema: connections.schema.handler(({ input, signal }) => api().connections.schema(input, { signal })),
    },
    sessions: {
      list: sessions.list.handler(({ input, signal }) => api().sessions.list(input, { signal })),
      get: sessions.get.handler(({ input, signal }) => api().sessions.get(input, { signal })),
      kill: sessions.kill.handler(({ input, signal }) => api().sessions.kill(input, { signal })),
    },
    recordings: {
      read: recordings.read.handler(({ input, signal }) => api().recordings.read(input, { signal })),
      verify: recordings.verify.handler(({ input, signal }) => api().recordings.verify(input, { signal })),
    },
    requests: {
      list: requests.list.handler(({ input, signal }) => api().requests.list(input, { signal })),
      get: requests.get.handler(({ input, signal }) => api().requests.get(input, { signal })),
      create: requests.create.handler(({ input, signal }) => api().requests.create(input, { signal })),
      approve: requests.approve.handler(({ input, signal }) => api().requests.approve(input, { signal })),
      deny: requests.deny.handler(({ input, signal }) => api().requests.deny(input, { signal })),
      cancel: requests.cancel.handler(({ input, signal }) => api().requests.cancel(input, { signal })),
    },
    grants: {
      list: grants.list.handler(({ signal }) => api().grants.list(undefined, { signal })),
      revoke: grants.revoke.handler(({ input, signal }) => api().grants.revoke(input, { signal })),
    },
    identities: { list: identities.list.handler(({ signal }) => api().identities.list(undefined, { signal })) },
    explain: rpc.gateway.explain.handler(({ input, signal }) => api().explain(input, { signal })),
  }
}
