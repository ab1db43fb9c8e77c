import { useQuery } from '@tanstack/react-query'
import type { Session } from '../../shared/api/models.ts'
import type { DesktopState } from '../../shared/rpc/desktop.ts'
import { Icon } from '../decisions/icon.tsx'
import { clock, dayAndTime } from '../decisions/time.ts'
import { looks } from '../decisions/words.ts'
import { useNavigation } from '../frame/desk.tsx'
import { useAuth, useGatewayLink, usePerson, useRpc } from '../rpc/context.tsx'
import { Button } from '../theme/controls.tsx'
import { programWords } from './words.ts'

/** Beside a desktop: what the connection is made of, and the sessions before this one. */
export function Beside({ desktop, connection }: { desktop: DesktopState; connection: string }) {
  const link = useGatewayLink()
  const person = usePerson()
  const { program, programs } = desktop
  const fallback = programs.find((p) => p.id !== program?.id)
  return (
    <aside className="rdp__r" aria-label="Connection">
      <section>
        <h2 className="h-label">Connection</h2>
        <dl className="kv rdp__kv">
          <dt>Person</dt>
          <dd>{person?.id}</dd>
          <dt>Password</dt>
          <dd>Filled in by the gateway</dd>
          <dt>Program</dt>
          <dd>{program === undefined ? 'None installed' : programWords(program)}</dd>
          {fallback !== undefined && (
            <>
              <dt>Also here</dt>
              <dd>{programWords(fallback)}</dd>
            </>
          )}
          {link?.latencyMs !== undefined && (
            <>
              <dt>Round trip</dt>
              <dd className="num">{Math.round(link.latencyMs)} ms</dd>
            </>
          )}
        </dl>
      </section>
      <Recent connection={connection} last={desktop.phase.state === 'ended' ? desktop.sessionId : undefined} />
      <p className="rdp__rec">
        <span className="rec" aria-hidden="true" />
        <span>The screen is recorded as you see it. What you type is not kept.</span>
      </p>
    </aside>
  )
}

const shownSessions = 4
const listedMs = 1_000

/** `last`: the session that has just ended; it is asked for until it is listed. */
function Recent({ connection, last }: { connection: string; last: string | undefined }) {
  const { queries } = useRpc()
  const go = useNavigation()
  const signedIn = useAuth()?.state === 'signed-in'
  const person = usePerson()
  const query = useQuery(
    queries.gateway.sessions.list.queryOptions({
      input: { connection, limit: 20, ...(person === undefined ? {} : { principal: person.id }) },
      enabled: signedIn,
      staleTime: 5_000,
      refetchInterval: ({ state: { data } }) =>
        last === undefined || data?.some((s) => s.id === last && s.state === 'ended') ? false : listedMs,
    }),
  )
  const sessions = (query.data ?? []).filter((s) => s.state === 'ended').slice(0, shownSessions)
  return (
    <section className="rdp__recent">
      <div className="row">
        <h2 className="h-label">Recent sessions</h2>
        <span className="right">
          <Button size="sm" kind="ghost" onClick={() => go.sessionList()}>
            All
          </Button>
        </span>
      </div>
      {sessions.length === 0 && <p className="t3 sm">None yet.</p>}
      <ul>
        {sessions.map((session) => (
          <Past key={session.id} session={session} onReplay={() => go.session(session.id)} />
        ))}
      </ul>
    </section>
  )
}

const counted = ['held', 'blocked', 'granted'] as const

function Past({ session, onReplay }: { session: Session; onReplay(): void }) {
  const { startedAt, endedAt, counts, canReplay } = session
  const length = endedAt === undefined ? 0 : Date.parse(endedAt) - Date.parse(startedAt)
  const shown = counted.filter((look) => counts[look] > 0)
  return (
    <li className="rs">
      <div className="row">
        <b className="m">{dayAndTime(startedAt)}</b>
        <span className="right t2 num">{clock(length)}</span>
      </div>
      <div className="row sm t2">
        {shown.length === 0 && (
          <span className="row row--4 t3">
            <Icon name="check" size={12} />
            {counts.allowed} allowed
          </span>
        )}
        {shown.map((look) => (
          <span key={look} className={`fg d-${looks[look].tone} row row--4`}>
            <Icon name={looks[look].icon} size={12} />
            {counts[look]} {looks[look].word.toLowerCase()}
          </span>
        ))}
        {canReplay && (
          <span className="right">
            <Button
              size="sm"
              kind="ghost"
              icon="replay"
              aria-label={`Replay the session of ${dayAndTime(startedAt)}`}
              onClick={onReplay}
            >
              Replay
            </Button>
          </span>
        )}
      </div>
    </li>
  )
}
