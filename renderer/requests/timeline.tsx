import type { AccessRequest } from '../../shared/api/models.ts'
import { Avatar } from '../decisions/chip.tsx'
import { Icon } from '../decisions/icon.tsx'
import { clock, useNow, when } from '../decisions/time.ts'
import { approvals } from '../decisions/words.ts'
import { reviewerWords, useReviewers } from '../frame/reviewers.ts'
import { usePerson } from '../rpc/context.tsx'
import { byWords } from './earlier.tsx'

/** Who has decided, whose turn it is, and who is asked if nobody answers. */
export function Timeline({ request }: { request: AccessRequest }) {
  const me = usePerson()?.id
  const pending = request.state === 'pending'
  const given = request.progress?.given ?? approvals(request)
  const needed = request.progress?.needed ?? request.approval.count
  const open = pending ? Math.max(0, needed - given) : 0
  const groups = request.progress?.groups ?? [request.approval.group]
  return (
    <div>
      <h2 className="h-label">Approvals</h2>
      <ol className="steps">
        {request.reviews.map((review) => (
          <li className="is-done" key={review.by}>
            <span className={`steps__n ${review.verdict === 'approve' ? 'd-granted' : 'd-blocked'}`}>
              <Icon name={review.verdict === 'approve' ? 'check' : 'x'} size={12} />
            </span>
            <div className="grow">
              <div className="row row--6">
                <Avatar name={review.name ?? review.by} />
                <b className="m trunc">{review.by === me ? 'You' : (review.name ?? byWords(review.by))}</b>
                <span className="right xs t3 num">{when(review.at)}</span>
              </div>
              <div className="sm t2">{review.verdict === 'approve' ? 'Approved' : 'Denied'}</div>
              {review.reason !== '' && <p className="quote">{review.reason}</p>}
            </div>
          </li>
        ))}
        {Array.from({ length: open }, (_, i) => i).map((i) => (
          <OpenStep
            key={`open-${i}`}
            n={request.reviews.length + i + 1}
            mine={i === 0 && request.canReview}
            groups={groups}
          />
        ))}
        {request.reviews.length === 0 && open === 0 && (
          <li className="t2 sm">{request.afterReview ? 'Taken without waiting, see below.' : 'Nobody decided.'}</li>
        )}
      </ol>
      {pending && request.remindedAt && request.requester.id !== me && (
        <p className="xs t2 steps__x">
          <b className="m">{request.requester.name}</b> asked again {when(request.remindedAt)}.
        </p>
      )}
      {pending && request.escalatesAt && <Escalation request={request} at={request.escalatesAt} />}
    </div>
  )
}

function OpenStep({ n, mine, groups }: { n: number; mine: boolean; groups: readonly string[] }) {
  const names = reviewerWords(useReviewers(groups))
  return (
    <li className={mine ? 'is-now' : undefined}>
      <span className="steps__n">{n}</span>
      <div className="grow">
        <b className="m">{mine ? 'You' : groups.join(' or ')}</b>
        <div className="sm t2">{mine ? groups.join(' or ') : names === '' ? 'waiting' : `${names}, waiting`}</div>
      </div>
    </li>
  )
}

function Escalation({ request, at }: { request: AccessRequest; at: string }) {
  const left = Date.parse(at) - useNow()
  const next = (request.approval.escalate ?? []).filter(
    ({ group }) => group !== request.approval.group && !(request.progress?.groups ?? []).includes(group),
  )
  const group = next[0]?.group ?? 'the next group'
  return (
    <p className="xs t2 steps__x">
      {left > 0 ? (
        <>
          If nobody answers, <b className="m">{group}</b> is asked too in <span className="num">{clock(left)}</span>.
        </>
      ) : (
        <>
          Now <b className="m">{group}</b> is asked too.
        </>
      )}
    </p>
  )
}
