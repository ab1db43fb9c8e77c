import { useMutation } from '@tanstack/react-query'
import type { AccessRequest } from '../../shared/api/models.ts'
import { hourMinute, useNow } from '../decisions/time.ts'
import { usePause, useRpc } from '../rpc/context.tsx'
import { problemLine, problemOf } from '../rpc/problem.ts'
import { Button } from '../theme/controls.tsx'

/** Asks those who decide once more. Where it is too soon for that, it says when they were asked and from when on it goes again. */
export function Remind({ request, who = 'reviewers' }: { request: AccessRequest; who?: string }) {
  const { client } = useRpc()
  const off = usePause() !== undefined
  const now = useNow()
  const remind = useMutation({ mutationFn: () => client.gateway.requests.remind({ id: request.id }) })
  const { remindedAt, remindFrom } = remind.data ?? request
  const early = remindFrom !== undefined && Date.parse(remindFrom) > now
  if (remind.error)
    return (
      <span className="err" role="alert">
        {problemLine(problemOf(remind.error))}
      </span>
    )
  return (
    <>
      {remindFrom !== undefined && !(early && remindedAt !== undefined) && (
        <Button
          size="sm"
          kind="ghost"
          disabled={off || remind.isPending || early}
          title={early ? 'They were asked just now.' : undefined}
          onClick={() => remind.mutate()}
        >
          Remind {who}
        </Button>
      )}
      {remindedAt !== undefined && (
        <span className="t2 sm num trunc remind" role="status">
          Reminded {hourMinute(remindedAt)}
          {early && <span className="t3">, again from {hourMinute(remindFrom)}</span>}
        </span>
      )}
    </>
  )
}
