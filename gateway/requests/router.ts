import { api } from '../api/context.ts'
import type { Requests } from './requests.ts'

export function requestsRouter({ requests }: { requests: Requests }) {
  const { requests: routes } = api
  return {
    list: routes.list.handler(({ context: { caller }, input }) => requests.list(caller, input)),
    get: routes.get.handler(({ context: { caller }, input }) => requests.get(caller, input.id)),
    create: routes.create.handler(({ context: { caller }, input }) => requests.create(caller, input)),
    approve: routes.approve.handler(({ context: { caller }, input }) =>
      requests.review(caller, input.id, 'approve', input.reason, input.durationSeconds),
    ),
    deny: routes.deny.handler(({ context: { caller }, input }) =>
      requests.review(caller, input.id, 'deny', input.reason),
    ),
    decide: routes.decide.handler(({ context: { caller }, input }) =>
      requests.decide(caller, input.ids, input.verdict, input.reason),
    ),
    cancel: routes.cancel.handler(({ context: { caller }, input }) => requests.cancel(caller, input.id)),
    remind: routes.remind.handler(({ context: { caller }, input }) => requests.remind(caller, input.id)),
    explain: routes.explain.handler(({ context: { caller }, input }) =>
      requests.explain(caller, input.id, input.reason),
    ),
    breakGlass: routes.breakGlass.handler(({ context: { caller }, input }) =>
      requests.breakGlass(caller, input.id, input.reason),
    ),
    afterReview: routes.afterReview.handler(({ context: { caller }, input }) =>
      requests.afterReview(caller, input.id, input.verdict, input.reason),
    ),
    count: routes.count.handler(({ context: { caller }, input }) => requests.count(caller, input.id)),
    history: routes.history.handler(({ context: { caller }, input }) => requests.history(caller, input)),
    metrics: routes.metrics.handler(({ context: { caller }, input }) => requests.metrics(caller, input)),
  }
}
