import type { ApiClient } from '../gateway/client.ts'
import { rpc } from './base.ts'

/** The gateway API as far as a page may use it: the same calls, with the sign-in of whoever is signed in now. */
export function forwardRouter(api: () => ApiClient) {
  const { connections, sessions, recordings, requests, grants, identities } = rpc.gateway
  return {
    me: rpc.gateway.me.handler(({ signal }) => api().me(undefined, until(signal))),
    connections: {
      list: connections.list.handler(({ signal }) => api().connections.list(undefined, until(signal))),
      schema: connections.schema.handler(({ input, signal }) => api().connections.schema(input, until(signal))),
    },
    sessions: {
      list: sessions.list.handler(({ input, signal }) => api().sessions.list(input, until(signal))),
      get: sessions.get.handler(({ input, signal }) => api().sessions.get(input, until(signal))),
      kill: sessions.kill.handler(({ input, signal }) => api().sessions.kill(input, until(signal))),
    },
    recordings: {
      read: recordings.read.handler(({ input, signal }) => api().recordings.read(input, until(signal))),
      verify: recordings.verify.handler(({ input, signal }) => api().recordings.verify(input, until(signal))),
    },
    requests: {
      list: requests.list.handler(({ input, signal }) => api().requests.list(input, until(signal))),
      get: requests.get.handler(({ input, signal }) => api().requests.get(input, until(signal))),
      create: requests.create.handler(({ input, signal }) => api().requests.create(input, until(signal))),
      approve: requests.approve.handler(({ input, signal }) => api().requests.approve(input, until(signal))),
      deny: requests.deny.handler(({ input, signal }) => api().requests.deny(input, until(signal))),
      cancel: requests.cancel.handler(({ input, signal }) => api().requests.cancel(input, until(signal))),
      decide: requests.decide.handler(({ input, signal }) => api().requests.decide(input, until(signal))),
      explain: requests.explain.handler(({ input, signal }) => api().requests.explain(input, until(signal))),
      breakGlass: requests.breakGlass.handler(({ input, signal }) => api().requests.breakGlass(input, until(signal))),
      afterReview: requests.afterReview.handler(({ input, signal }) =>
        api().requests.afterReview(input, until(signal)),
      ),
      count: requests.count.handler(({ input, signal }) => api().requests.count(input, until(signal))),
      history: requests.history.handler(({ input, signal }) => api().requests.history(input, until(signal))),
      metrics: requests.metrics.handler(({ input, signal }) => api().requests.metrics(input, until(signal))),
    },
    grants: {
      list: grants.list.handler(({ signal }) => api().grants.list(undefined, until(signal))),
      revoke: grants.revoke.handler(({ input, signal }) => api().grants.revoke(input, until(signal))),
      giveBack: grants.giveBack.handler(({ input, signal }) => api().grants.giveBack(input, until(signal))),
    },
    identities: { list: identities.list.handler(({ signal }) => api().identities.list(undefined, until(signal))) },
    explain: rpc.gateway.explain.handler(({ input, signal }) => api().explain(input, until(signal))),
  }
}

function until(signal: AbortSignal | undefined): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal }
}
