import { useMutation } from '@tanstack/react-query'
import type { StepUp } from '../../shared/api/problem.ts'
import { usePause, useRpc } from '../rpc/context.tsx'
import { problemLine, problemOf } from '../rpc/problem.ts'
import { Button } from '../theme/controls.tsx'

/** Takes the person through a better sign-in, then goes on with what wanted it. */
export function useStepUp() {
  const { client } = useRpc()
  return useMutation({
    mutationFn: async ({ lack, why, after }: { lack: StepUp; why: string; after(): unknown }) => {
      await client.auth.confirm({ lack, why })
      await after()
    },
  })
}

/** What went wrong; with the way on, where a better sign-in is all that is missing. `retry` asks for it again after that. */
export function ProblemNote({
  error,
  retry,
  className = 'err',
}: {
  error: unknown
  retry(): void
  className?: string
}) {
  const off = usePause() !== undefined
  const step = useStepUp()
  const problem = problemOf(step.error ?? error)
  const { message, action, stepUp = {} } = problem
  return (
    <div className={className} role="alert">
      <p>{problemLine(problem)}</p>
      {action === 'step-up' && (
        <Button
          size="sm"
          icon="fingerprint"
          disabled={off || step.isPending}
          onClick={() => step.mutate({ lack: stepUp, why: message, after: retry })}
        >
          Confirm that it is you
        </Button>
      )}
    </div>
  )
}
