import { api } from '../api/context.ts'
import type { Requests } from './requests.ts'

export function requestsRouter({ requests }: { requests: Requests }) {
  return {
    list: api.requests.list.handler(({ context: { caller }, input }) => requests.list(caller, input)),
    get: api.requests.get.handler(({ context: { caller }, input }) => requests.get(caller, input.id)),
    create: api.requests.create.handler(({ context: { caller }, input }) => requests.create(caller, input)),
    approve: api.requests.approve.handler(({ context: { caller }, input }) =>
      requests.review(caller, input.id, 'approve', input.reason),
    ),
    deny: api.requests.deny.handler(({ context: { caller }, input }) =>
      requests.review(caller, input.id, 'deny', input.reason),
    ),
    cancel: api.requests.cancel.handler(({ context: { caller }, input }) => requests.cancel(caller, input.id)),
  }
}
