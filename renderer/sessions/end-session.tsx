import { useMutation } from '@tanstack/react-query'
import { useId, useState } from 'react'
import type { Session } from '../../shared/api/models.ts'
import { usePause, useRpc } from '../rpc/context.tsx'
import { problemOf } from '../rpc/problem.ts'
import { Button } from '../theme/controls.tsx'
import { Dialog } from '../theme/dialog.tsx'

/** Ending somebody's session: what it takes from them is said first, and they read why. */
export function EndSession({ session }: { session: Session }) {
  const { client } = useRpc()
  const off = usePause() !== undefined
  const [asking, setAsking] = useState(false)
  const [reason, setReason] = useState('')
  const field = useId()
  const kill = useMutation({
    mutationFn: () => client.gateway.sessions.kill({ id: session.id, reason: reason.trim() }),
    onSuccess: () => setAsking(false),
  })
  const keep = () => {
    setAsking(false)
    kill.reset()
  }
  const { principal, connection } = session
  return (
    <>
      <Button
        size="sm"
        kind="danger"
        aria-label={`End session of ${principal.name} on ${connection.name}`}
        onClick={() => setAsking(true)}
      >
        End…
      </Button>
      <Dialog
        title={`End the session of ${principal.name}`}
        size={440}
        centered
        opened={asking}
        closeLabel="Keep the session"
        onClose={keep}
      >
        <div className="modal__pad">
          <p className="t2">
            On {connection.name}. What runs in it stops at once
            {connection.kind === 'postgres' ? ', and an open transaction is rolled back.' : '.'}
          </p>
          <label className="h-label sess__l" htmlFor={field}>
            Reason <span className="t3 sess__w">{principal.name} and the audit read it</span>
          </label>
          <div className="input input--area">
            <textarea
              id={field}
              data-autofocus
              value={reason}
              maxLength={500}
              onChange={(event) => setReason(event.target.value)}
            />
          </div>
          {kill.error && (
            <p className="err" role="alert">
              {problemOf(kill.error).message}
            </p>
          )}
          <div className="row sess__e">
            <Button kind="danger" disabled={off || kill.isPending} onClick={() => kill.mutate()}>
              End the session
            </Button>
            <Button kind="ghost" onClick={keep}>
              Keep it
            </Button>
          </div>
        </div>
      </Dialog>
    </>
  )
}
