import type { Problem } from '../../shared/rpc/contract.ts'
import { Icon } from '../decisions/icon.tsx'
import { Button } from '../theme/controls.tsx'

/** Why nobody is signed in, and what helps. */
export function Failed({ problem, onRetry }: { problem: Problem; onRetry(): void }) {
  const details = [problem.code, problem.message, problem.hint].filter((part) => part !== undefined).join('\n')
  const copy = () => {
    navigator.clipboard.writeText(details).catch((error: unknown) => console.warn('Nothing was copied.', error))
  }
  return (
    <aside className="signin__states" aria-label="Sign-in failed">
      <div className="card scard scard--err" role="alert">
        <div className="row">
          <span className="fg d-blocked">
            <Icon name="circle-x" />
          </span>
          <b className="m">{titles[problem.code] ?? 'Sign-in did not finish'}</b>
        </div>
        <p className="t2 scard__p">{problem.message}</p>
        {problem.hint && <p className="t2 scard__p">{problem.hint}</p>}
        <p className="xs t3 mono scard__p">{problem.code}</p>
        <div className="row scard__a">
          <Button size="sm" icon="refresh" onClick={onRetry}>
            Try again
          </Button>
          <Button size="sm" kind="ghost" onClick={copy}>
            Copy details
          </Button>
        </div>
      </div>
    </aside>
  )
}

const titles: Partial<Record<Problem['code'], string>> = {
  'gateway-unreachable': 'The gateway does not answer',
  'not-signed-in': 'Your sign-in ended',
  'session-ended': 'Your sign-in ended',
}
