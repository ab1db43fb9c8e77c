import './integrity.css'
import { useQuery } from '@tanstack/react-query'
import type { Session } from '../../shared/api/models.ts'
import { Avatar } from '../decisions/chip.tsx'
import { Icon } from '../decisions/icon.tsx'
import { longDuration, timeOfDay } from '../decisions/time.ts'
import { counted } from '../decisions/words.ts'
import { useRpc } from '../rpc/context.tsx'
import { problemOf } from '../rpc/problem.ts'
import { Tip } from '../theme/controls.tsx'
import type { Recording } from './recording.ts'

function useVerification(id: string) {
  const { queries } = useRpc()
  return useQuery(queries.gateway.recordings.verify.queryOptions({ input: { id }, retry: false }))
}

/** Whether the recording is as it was written, checked by the gateway now. */
export function Integrity({ id }: { id: string }) {
  const verification = useVerification(id)
  if (verification.error) {
    return <span className="chip chip--lg d-ended">Not verified: {problemOf(verification.error).message}</span>
  }
  const result = verification.data
  if (result === undefined) return <span className="chip chip--lg d-ended">Verifying</span>
  if (!result.ok) {
    return (
      <Tip label={result.problems.join('\n')}>
        <span className="chip chip--lg d-blocked" role="alert">
          <Icon name="shield-alert" size={14} />
          Integrity broken <span className="num">{counted(result.problems.length, 'problem')}</span>
        </span>
      </Tip>
    )
  }
  return (
    <span className="chip chip--lg d-allowed verif">
      <Icon name="shield-check" size={14} />
      Integrity verified <span className="t2 num verif__n">{counted(result.checked, 'link')}</span>
    </span>
  )
}

/** Who, when, from where, and the chain of hashes. */
export function SessionMeta({ session, recording }: { session: Session; recording: Recording }) {
  const verification = useVerification(session.id).data
  const end = session.endedAt ?? recording.manifest.endedAt
  const length = (end === undefined ? Date.now() : Date.parse(end)) - Date.parse(session.startedAt)
  return (
    <aside className="rmeta" aria-label="Session">
      <div className="row">
        <Avatar name={session.principal.name} size={24} />
        <div className="col">
          <b className="m">{session.principal.name}</b>
          <span className="xs t3">{session.principal.groups.join(', ')}</span>
        </div>
      </div>
      <dl className="kv rmeta__kv">
        <dt>Session</dt>
        <dd className="mono" title={session.id}>
          {session.id.slice(0, 12)}
        </dd>
        <dt>Started</dt>
        <dd className="num">{timeOfDay(session.startedAt)}</dd>
        <dt>Length</dt>
        <dd className="num">{longDuration(length)}</dd>
        <dt>Through</dt>
        <dd>{session.door}</dd>
        <dt>From</dt>
        <dd>{session.sourceIp}</dd>
        <dt>State</dt>
        <dd>{recording.live ? 'live' : (session.endReason ?? 'ended')}</dd>
      </dl>
      <div className="chain">
        <div className="row">
          <span className="h-label">Hash chain</span>
          {verification && (
            <span className="right xs t2 row row--4">
              <Icon name={verification.ok ? 'check' : 'alert'} size={12} />
              {verification.ok ? 'unbroken' : 'broken'}
            </span>
          )}
        </div>
        <div className="chain__v" aria-hidden="true">
          {recording.manifest.chunks.slice(0, 9).map((chunk) => (
            <i key={chunk.chunk} />
          ))}
        </div>
        <dl className="kv">
          {verification?.firstHash && (
            <>
              <dt>First</dt>
              <dd className="mono">{shortHash(verification.firstHash)}</dd>
            </>
          )}
          {verification?.lastHash && (
            <>
              <dt>Sealed</dt>
              <dd className="mono">{shortHash(verification.lastHash)}</dd>
            </>
          )}
        </dl>
      </div>
    </aside>
  )
}

function shortHash(hash: string): string {
  return `${hash.slice(0, 4)} … ${hash.slice(-4)}`
}
