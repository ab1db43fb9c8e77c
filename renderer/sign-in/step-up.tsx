import { useMutation } from '@tanstack/react-query'
import { usePause, useRpc } from '../rpc/context.tsx'
import { problemOf } from '../rpc/problem.ts'
import { Button } from '../theme/controls.tsx'

interface Lack {
  maxAgeSeconds?: number | undefined
}

/** Takes the person through a better sign-in, then goes on with what wanted it. */
export function useStepUp() {
  const { client } = useRpc()
  return useMutation({
    mutationFn: async ({ lack, why, after }: { lack: Lack; why: string; after(): unknown }) => {
      const { maxAgeSeconds } = lack
      await client.auth.confirm({ lack: maxAgeSeconds === undefined ? {} : { maxAgeSeconds }, why })
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
  const { message, hint, action, stepUp = {} } = problemOf(step.error ?? error)
  return (
    <div className={className} role="alert">
      <p>{[message, hint].filter(Boolean).join(' ')}</p>
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
