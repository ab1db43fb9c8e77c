import { z } from 'zod'
import type { RequestRow } from '../requests/rows.ts'
import { groupsOf } from '../requests/rows.ts'
import type { RequestChange } from '../requests/store.ts'

/**
 * What people are told of a request. It holds no statement, and no literal of one: what kind it is, on which tables, and why.
 * Whoever wants to see more opens it, and sees what policy lets them see.
 */
export const Message = z.object({
  /** `request.asked`, … */
  type: z.string(),
  requestId: z.string(),
  /** ISO 8601. */
  at: z.string(),
  title: z.string(),
  /** What happened, in a sentence. */
  text: z.string(),
  facts: z.array(z.object({ name: z.string(), value: z.string() })),
  /** Somebody is asked to decide. */
  decidable: z.boolean(),
})
export type Message = z.infer<typeof Message>

const reasonLimit = 300
/** Changes after which it is somebody's turn to decide. */
const deciding: readonly RequestChange['kind'][] = ['asked', 'escalated', 'reason', 'reminded']

export function messageOf(row: RequestRow, change: RequestChange, at: Date): Message {
  const { text, title } = words(row, change)
  const decidable = deciding.includes(change.kind)
  return {
    type: `request.${change.kind}`,
    requestId: row.id,
    at: at.toISOString(),
    title,
    text,
    facts: factsOf(row, decidable),
    decidable,
  }
}

function words(row: RequestRow, change: RequestChange): { title: string; text: string } {
  const who = row.requester.name
  const where = row.connection_name
  const what = row.kind === 'once' ? `to run ${row.action ?? 'a statement'} on ${where}` : `for access to ${where}`
  const titled = (title: string, text: string) => ({ title: `${title}: ${who}, ${where}`, text })
  switch (change.kind) {
    case 'asked':
      return titled('Review requested', `${who} asks ${what}.`)
    case 'reason':
      return titled('Review requested', `${who} said why they ask ${what}.`)
    case 'reminded':
      return titled('Reminder', `${who} still asks ${what}. It waits since ${utc(row.created_at)}.`)
    case 'approval':
      return titled('Approved by one', `${change.by} approved; ${change.given} of ${row.approval.count} so far.`)
    case 'approved':
      return titled('Approved', `${change.by.join(', ')} approved what ${who} asked ${what}.`)
    case 'denied':
      return titled('Denied', `${change.by} denied what ${who} asked ${what}: ${oneLine(change.reason)}`)
    case 'expired':
      return titled('Expired', `Nobody decided in time on what ${who} asked ${what}.`)
    case 'cancelled':
      return titled('Withdrawn', `${who} no longer asks ${what}.`)
    case 'escalated':
      return titled(
        'Review requested',
        `${who} asks ${what}, and nobody has decided yet. ${change.groups.join(', ')} may.`,
      )
    case 'broken':
      return titled('Break-glass', `${who} went on without an approval ${what}. Somebody else has to review it.`)
    case 'reviewed-after':
      return titled(
        change.verdict === 'accepted' ? 'Break-glass accepted' : 'Break-glass disputed',
        `${change.by} reviewed it: ${oneLine(change.reason)}`,
      )
    case 'revoked':
      return change.by === row.requester_id
        ? titled('Given back', `${who} gave the access back.`)
        : titled('Revoked', `${change.by} ended the access of ${who} to ${where}.`)
  }
}

function factsOf(row: RequestRow, decidable: boolean): Message['facts'] {
  const { approval, policy } = row
  const reason = oneLine(row.reason)
  const facts = [
    { name: 'Connection', value: `${row.connection_name} (${row.connection.environment})` },
    {
      name: 'Asks for',
      value: row.kind === 'once' ? (row.action ?? '') : [...row.actions, ...row.data_classes].join(', '),
    },
    { name: 'Tables', value: row.tables.join(', ') },
    { name: 'For', value: row.duration_seconds === null ? '' : `${Math.round(row.duration_seconds / 60)} min` },
    { name: 'Reason', value: reason.length > reasonLimit ? `${reason.slice(0, reasonLimit)}…` : reason },
    { name: 'Rule', value: policy.id },
    { name: 'Reviewers', value: `${approval.count} of ${groupsOf(row).join(', ')}` },
    {
      name: 'Expires',
      value: decidable ? utc(row.expires_at) : '',
    },
  ]
  return facts.filter(({ value }) => value !== '')
}

/** Nobody's words look like a line of ours. */
function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim()
}

function utc(time: Date): string {
  return `${time.toISOString().slice(0, 16).replace('T', ' ')} UTC`
}
