import { useEffect } from 'react'
import { useAuth, useRpc } from '../rpc/context.tsx'
import { Dialog } from '../theme/dialog.tsx'
import { openPage } from './use-sign-in.ts'
import { Waiting } from './waiting.tsx'

/**
 * While the person proves again who they are, because policy wants a second factor for what they just did. It goes on by itself
 * after that; what is behind stays as it is.
 */
export default function Confirming() {
  const rpc = useRpc()
  const auth = useAuth()
  const confirming = auth?.state === 'signed-in' ? auth.confirming : undefined
  const url = confirming?.url
  const ask = confirming !== undefined && confirming.code === undefined
  useEffect(() => {
    // The desktop's core has opened it already.
    if (ask && url !== undefined && rpc.platform.shell === 'browser') openPage(rpc, url)
  }, [ask, url, rpc])
  const cancel = () => {
    rpc.client.auth.cancel().catch((error: unknown) => console.warn('The sign-in could not be cancelled.', error))
  }
  if (confirming === undefined) return null
  return (
    <Dialog title="Confirm that it is you" size={400} centered onClose={cancel}>
      <div className="modal__pad">
        <p className="t2 confirm__why">{confirming.why}</p>
        <Waiting
          url={confirming.url}
          code={confirming.code}
          expiresAt={confirming.expiresAt}
          words="Sign in there with your second factor. What you did goes on by itself."
        />
      </div>
    </Dialog>
  )
}
