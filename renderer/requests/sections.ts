import type { AccessRequest } from '../../shared/api/models.ts'

export interface Section {
  title: string
  requests: readonly AccessRequest[]
}

/** What a person asked for: what waits, what is in force, and the rest. */
export function mineSections(requests: readonly AccessRequest[], me: string | undefined, now: number): Section[] {
  const mine = requests.filter((request) => request.requester.id === me)
  const active = (request: AccessRequest) =>
    request.state === 'approved' && request.grant !== undefined && Date.parse(request.grant.endsAt) > now
  return filled([
    { title: 'Waiting', requests: mine.filter((r) => r.state === 'pending') },
    { title: 'Active', requests: mine.filter(active) },
    { title: 'Earlier', requests: mine.filter((r) => r.state !== 'pending' && !active(r)) },
  ])
}

/** What a person may decide first, those that expire first before; then what only others can. */
export function reviewSections(requests: readonly AccessRequest[], me: string | undefined): Section[] {
  const others = requests.filter((r) => r.requester.id !== me)
  const pending = others.filter((r) => r.state === 'pending')
  const byExpiry = (a: AccessRequest, b: AccessRequest) => a.expiresAt.localeCompare(b.expiresAt)
  const afterwards = (r: AccessRequest) => r.afterReview?.state === 'open' && r.afterReview.canReview
  return filled([
    { title: 'Needs you', requests: pending.filter((r) => r.canReview).toSorted(byExpiry) },
    { title: 'To review afterwards', requests: others.filter(afterwards) },
    { title: 'Reviewed by others', requests: pending.filter((r) => !r.canReview) },
    {
      title: 'Yours, reviewed by others',
      requests: requests.filter((r) => r.requester.id === me && r.state === 'pending'),
    },
    { title: 'Decided', requests: others.filter((r) => r.state !== 'pending' && !afterwards(r)) },
  ])
}

function filled(sections: Section[]): Section[] {
  return sections.filter((section) => section.requests.length > 0)
}
