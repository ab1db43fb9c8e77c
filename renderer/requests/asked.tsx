import { reviewerWords, useReviewers } from '../frame/reviewers.ts'

/** Who is asked to decide: the group, and its people as far as one may know them. */
export function Asked({ group, waiting }: { group: string; waiting: boolean }) {
  const names = reviewerWords(useReviewers([group]))
  return (
    <span className="trunc">
      {names === '' ? (
        <b className="m">{group}</b>
      ) : (
        <>
          {names} <span className="t2">of {group}</span>
        </>
      )}{' '}
      {waiting && <span className="t2">asked to review</span>}
    </span>
  )
}
