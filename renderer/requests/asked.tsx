import { reviewerWords, useReviewers } from '../frame/reviewers.ts'

/** Who is asked to decide: the groups, and their people as far as one may know them. */
export function Asked({ groups, waiting }: { groups: readonly string[]; waiting: boolean }) {
  const names = reviewerWords(useReviewers(groups))
  return (
    <span className="trunc">
      {names === '' ? (
        <b className="m">{groups.join(' or ')}</b>
      ) : (
        <>
          {names} <span className="t2">of {groups.join(' or ')}</span>
        </>
      )}{' '}
      {waiting && <span className="t2">asked to review</span>}
    </span>
  )
}
