import type { AccessRequest } from '../../shared/api/models.ts'
import { Avatar, Chip } from '../decisions/chip.tsx'
import { EnvTag, kindIcon } from '../decisions/environment.tsx'
import { Icon } from '../decisions/icon.tsx'
import { clock, when } from '../decisions/time.ts'
import { counted, requestLook, requestTitle } from '../decisions/words.ts'
import { useNavigation, usePlace } from '../frame/desk.tsx'
import { usePerson } from '../rpc/context.tsx'
import { byWords } from './earlier.tsx'

function useRow(request: AccessRequest) {
  const { request: shown, list, picked } = usePlace()
  const go = useNavigation()
  const on = shown === request.id && picked.length === 0
  return {
    on,
    open: () => go.request(request.id, list),
    pick: () => go.pick(request.id),
    picked: picked.includes(request.id),
  }
}

/** One of one's own. */
export function MineRow({ request, now }: { request: AccessRequest; now: number }) {
  const { on, open } = useRow(request)
  const { detail, ...look } = requestLook(request, now)
  const end = request.grant && request.state === 'approved' ? Date.parse(request.grant.endsAt) : undefined
  return (
    <button type="button" className={on ? 'rq is-on' : 'rq'} aria-current={on} onClick={open}>
      <span className="rq__k">
        <Icon name={kindIcon(request.connection)} />
      </span>
      <span className="grow">
        <span className="row row--6">
          <b className="m trunc">{request.connection.name}</b>
          <EnvTag environment={request.connection.environment} />
        </span>
        <span className="rq__s trunc">{requestTitle(request)}</span>
        <span className="row rq__c">
          <Chip look={look}>{detail ?? (look.word === 'Granted' && end ? clock(end - now) : undefined)}</Chip>
          <span className="right xs t3 num nowrap trunc">{mineMeta(request, now)}</span>
        </span>
      </span>
    </button>
  )
}

function mineMeta(request: AccessRequest, now: number): string {
  if (request.state === 'pending') {
    return request.reasonMissing ? 'needs your reason' : clock(now - Date.parse(request.createdAt))
  }
  if (request.grant && Date.parse(request.grant.endsAt) > now && request.state === 'approved') {
    return Date.parse(request.grant.startsAt) > now
      ? `from ${when(request.grant.startsAt, now)}`
      : `until ${when(request.grant.endsAt, now)}`
  }
  const last = request.reviews.at(-1)
  const at = when(request.decidedAt ?? request.createdAt, now)
  return last === undefined ? at : `${last.name ?? byWords(last.by)} · ${at}`
}

/** One of somebody's, for a reviewer; it can be picked where several can be decided together. */
export function ReviewRow({ request, now, pickable }: { request: AccessRequest; now: number; pickable?: boolean }) {
  const { on, open, pick, picked } = useRow(request)
  const me = usePerson()?.id
  const own = request.requester.id === me
  const { detail, ...look } = requestLook(request, now)
  const name = own ? 'You' : request.requester.name
  const pending = request.state === 'pending'
  const row = (
    <button
      type="button"
      className={['rq', (on || picked) && 'is-on', own && 'is-own'].filter(Boolean).join(' ')}
      aria-current={on}
      onClick={open}
    >
      <Avatar name={request.requester.name} size={24} />
      <span className="grow">
        <span className="row row--6">
          <b className="m trunc">{name}</b>
          <span className="right xs t3 num nowrap">
            {pending
              ? `${clock(Date.parse(request.expiresAt) - now)} left`
              : when(request.decidedAt ?? request.createdAt, now)}
          </span>
        </span>
        <span className="rq__s trunc">
          {requestTitle(request)}
          {rowsWords(request)}
        </span>
        <span className="row row--6 rq__c">
          <EnvTag environment={request.connection.environment} />
          <span className="sm t2 row trunc row--5">
            <Icon name={kindIcon(request.connection)} size={14} />
            <span className="trunc">{request.connection.name}</span>
          </span>
          <span className="right">
            <Chip look={look}>{detail}</Chip>
          </span>
        </span>
      </span>
    </button>
  )
  if (!pickable) return row
  return (
    <div className="rq-w">
      {row}
      {/* biome-ignore lint/a11y/useSemanticElements: as every other check box here, drawn by the tokens */}
      <button
        type="button"
        role="checkbox"
        aria-checked={picked}
        aria-label={`Pick ${requestTitle(request)} of ${request.requester.name}`}
        className={picked ? 'rq-p is-on' : 'rq-p'}
        onClick={pick}
      >
        <span className="check__box">
          <Icon name="check" size={12} />
        </span>
      </button>
    </div>
  )
}

/** `, about 214 rows`, where it is known. */
function rowsWords({ rowCount, estimate }: AccessRequest): string {
  if (rowCount !== undefined) return `, ${counted(rowCount.rows, 'row')}`
  return estimate?.state === 'planned' ? `, about ${counted(Math.round(estimate.rows), 'row')}` : ''
}
