import type { ReactNode } from 'react'
import type { Approval } from '../../shared/decision.ts'
import { spokenDuration } from '../decisions/words.ts'
import { useReviewers } from '../frame/reviewers.ts'

export function Field({ title, children }: { title: string; children: ReactNode }) {
  return (
    <div className="fs">
      <h2 className="fs__l">{title}</h2>
      <div className="fs__b">{children}</div>
    </div>
  )
}

/** Who will be asked, and how many of them have to agree: one box for each group that the policies name. */
export function Reviewers({ approvals }: { approvals: readonly Approval[] }) {
  if (approvals.length === 0) return null
  return (
    <Field title="Who reviews">
      <div className="revs">
        {approvals.map((approval) => (
          <Group approval={approval} key={approval.group} />
        ))}
      </div>
    </Field>
  )
}

function Group({ approval }: { approval: Approval }) {
  const members = useReviewers([approval.group])
  const { auto, escalate = [], expirySeconds } = approval
  return (
    <div className="rv">
      <div className="rv__h">
        <b className="m">{approval.group}</b>
        <span className="t2">
          any {approval.count}
          {members.length > 0 && ` of ${members.length}`}
        </span>
      </div>
      {auto !== undefined && (
        <p className="sm rv__n">
          Approved at once by <span className="policy">{auto.id}</span>, if nothing changes until you send it.
        </p>
      )}
      {members.slice(0, 4).map((person) => (
        <div className="rv__p" key={person.id}>
          <span>{person.name}</span>
          <span>{person.id}</span>
        </div>
      ))}
      {members.length > 4 && <p className="sm t2 rv__n">and {members.length - 4} more</p>}
      <p className="sm t2 rv__n">
        {approval.count > 1 ? `${approval.count} different people must approve. ` : ''}You cannot approve your own
        request.
        {escalate.map(
          ({ group, afterSeconds }) =>
            ` After ${spokenDuration(afterSeconds)} without an answer ${group} is asked too.`,
        )}
        {expirySeconds !== undefined && ` It expires after ${spokenDuration(expirySeconds)}.`}
      </p>
    </div>
  )
}
