import { Icon } from '../decisions/icon.tsx'
import { keyLabel } from '../decisions/keys.ts'
import type { Document } from '../dock/workspace.ts'
import { useAuth, usePlatform } from '../rpc/context.tsx'
import { problemOf } from '../rpc/problem.ts'
import { useSignIn } from '../sign-in/use-sign-in.ts'
import { Waiting } from '../sign-in/waiting.tsx'
import { Button } from '../theme/controls.tsx'
import { useDesk } from './desk.tsx'

/** In place of what only the signed-in person may see, once the sign-in has ended. What was typed stays where it is. */
export function ExpiredGate({ title, document }: { title: string; document: Document }) {
  const { workspace } = useDesk()
  const { os } = usePlatform()
  const auth = useAuth()
  const signIn = useSignIn()
  if (auth?.state !== 'expired') return null
  return (
    <div className="gate gate__sk">
      <div aria-hidden="true">
        {Array.from({ length: 12 }, (_, row) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: all alike
          <div className="gate__r" key={row}>
            {[40, 84, 98, 144, 50, 60, 60].map((width, column) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: all alike
              <span key={column}>
                <span className="skel" style={{ width: width - ((row * 7 + column * 5) % 17) }} />
              </span>
            ))}
          </div>
        ))}
      </div>
      <section className="gate__c" aria-label={title}>
        <div className="row">
          <Icon name="lock" />
          <b className="gate__t">{title}</b>
        </div>
        <p className="t2 gate__p">
          Your sign-in ended. Results stay hidden until it is you again. Your tabs and drafts are kept.
        </p>
        {signIn.error && <p className="err gate__p">{problemOf(signIn.error).message}</p>}
        {auth.waiting === undefined ? (
          <div className="row gate__p">
            <Button
              kind="primary"
              keys={keyLabel('Enter', os)}
              disabled={signIn.isPending}
              onClick={() => signIn.mutate({ gateway: auth.gateway, flow: 'browser' })}
            >
              Continue with SSO
            </Button>
            <Button kind="ghost" onClick={() => workspace.close(document.id)}>
              Close tab
            </Button>
            <span className="right t3 sm">{auth.person.id}</span>
          </div>
        ) : (
          <div className="gate__p">
            <Waiting {...auth.waiting} />
          </div>
        )}
      </section>
    </div>
  )
}
