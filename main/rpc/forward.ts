import type { DecideOutcome } from '../../shared/api/models.ts'
import type { StepUp } from '../../shared/api/problem.ts'
import { type ApiClient, asked } from '../gateway/client.ts'
import { toProblem } from '../problem.ts'
import { confirmed } from '../sign-in/step-up.ts'
import { rpc } from './base.ts'

export interface ForwardDeps {
  /** With the sign-in of whoever is signed in now. */
  api(): ApiClient
  /** Has the person prove again who they are; see `Account.confirm`. */
  confirm(lack: StepUp, why: string, signal?: AbortSignal): Promise<void>
}

/**
 * The gateway API as far as a page may use it: the same calls, with the sign-in of whoever is signed in now. What a person does that
 * policy wants a better sign-in for goes on by itself once they have proved who they are.
 */
export function forwardRouter({ api, confirm }: ForwardDeps) {
  const withStepUp = <T>(signal: AbortSignal | undefined, call: () => Promise<T>): Promise<T> =>
    confirmed(call, ({ stepUp, message }) => confirm(stepUp, message, signal))
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
      create: requests.create.handler(({ input, signal }) =>
        withStepUp(signal, () => api().requests.create(input, until(signal))),
      ),
      approve: requests.approve.handler(({ input, signal }) =>
        withStepUp(signal, () => api().requests.approve(input, until(signal))),
      ),
      deny: requests.deny.handler(({ input, signal }) => api().requests.deny(input, until(signal))),
      cancel: requests.cancel.handler(({ input, signal }) => api().requests.cancel(input, until(signal))),
      decide: requests.decide.handler(async ({ input, signal }) => {
        const decide = (ids: string[]) => api().requests.decide({ ...input, ids }, until(signal))
        return decidedAll(await decide(input.ids), decide, (lack, why) => confirm(lack, why, signal))
      }),
      remind: requests.remind.handler(({ input, signal }) => api().requests.remind(input, until(signal))),
      explain: requests.explain.handler(({ input, signal }) => api().requests.explain(input, until(signal))),
      breakGlass: requests.breakGlass.handler(({ input, signal }) =>
        withStepUp(signal, () => api().requests.breakGlass(input, until(signal))),
      ),
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

/**
 * Of several that were decided, those that want a better sign-in are decided once more after it. Where there is none, they say so: what
 * became of the others stands.
 */
export async function decidedAll(
  outcomes: readonly DecideOutcome[],
  decide: (ids: string[]) => Promise<DecideOutcome[]>,
  confirm: ForwardDeps['confirm'],
): Promise<DecideOutcome[]> {
  const lacking = outcomes.flatMap((each) =>
    each.ok || each.stepUp === undefined ? [] : [{ ...each, stepUp: each.stepUp }],
  )
  const [first] = lacking
  if (first === undefined) return [...outcomes]
  const ages = lacking.flatMap(({ stepUp }) => stepUp.maxAgeSeconds ?? [])
  let again: DecideOutcome[]
  try {
    await confirm(ages.length === 0 ? {} : { maxAgeSeconds: Math.min(...ages) }, first.message)
    again = await asked(decide(lacking.map(({ id }) => id)))
  } catch (error) {
    const { code, message } = toProblem(error)
    again = lacking.map(({ id }) => ({ id, ok: false, code: code === 'step-up' ? 'STEP_UP' : 'INTERNAL', message }))
  }
  const later = new Map(again.map((each) => [each.id, each]))
  return outcomes.map((each) => later.get(each.id) ?? each)
}
