import type { AccessRequest, GatewayEvent } from '../shared/api/models.ts'
import type { DeepLink } from '../shared/rpc/contract.ts'

export interface Notice {
  title: string
  body: string
  opens: DeepLink
}

/**
 * What the system shows of a gateway event, if anything. It may be read over a shoulder or on a lock screen: no statement text,
 * no reason, and nothing that acts. A click opens the request.
 */
export function noticeOf(event: GatewayEvent, me: string): Notice | undefined {
  if (event.type !== 'request') return undefined
  const { request } = event
  const opens: DeepLink = { to: 'request', id: request.id }
  if (request.state === 'pending') {
    if (!request.canReview) return undefined
    return {
      title: 'Review requested',
      body: `${request.requester.name} asks for ${what(request)} on ${request.connection.name}.`,
      opens,
    }
  }
  if (request.requester.id !== me) return undefined
  const on = `Your request on ${request.connection.name}`
  switch (request.state) {
    case 'approved':
      return { title: 'Approved', body: `${on} was approved.`, opens }
    case 'denied':
      return { title: 'Denied', body: `${on} was denied.`, opens }
    case 'expired':
      return { title: 'Expired', body: `${on} expired before it was approved.`, opens }
    case 'revoked':
      return { title: 'Access ended', body: `${on} was revoked.`, opens }
    case 'cancelled':
      return undefined
    default:
      return request.state satisfies never
  }
}

function what(request: AccessRequest): string {
  return request.kind === 'once' ? 'one approval' : 'access for a time'
}
