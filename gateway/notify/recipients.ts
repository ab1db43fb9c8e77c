import { z } from 'zod'
import type { RequestRow } from '../requests/rows.ts'
import type { RequestChange } from '../requests/store.ts'
import type { NotifyConfig } from './config.ts'

/** Where one message goes. A channel is looked up when it is sent, so that its secrets are in the configuration alone. */
export const Destination = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('channel'), name: z.string() }),
  z.object({ kind: z.literal('email'), to: z.string() }),
  z.object({ kind: z.literal('slack-user'), id: z.string() }),
])
export type Destination = z.infer<typeof Destination>

/** Who hears of a change: the channels of those who review, and the requester of what others did. */
export function recipients(config: NotifyConfig, row: RequestRow, change: RequestChange): Destination[] {
  const found = [...reviewers(config, row, change), ...requester(config, row, change)]
  return found.filter((each, i) => found.findIndex((other) => JSON.stringify(other) === JSON.stringify(each)) === i)
}

function reviewers(config: NotifyConfig, row: RequestRow, change: RequestChange): Destination[] {
  const { approval, escalated } = row
  const named = approval.notify
  const groups = change.kind === 'escalated' ? change.groups : [approval.group, ...escalated]
  const told = change.kind === 'broken' && approval.breakGlass !== undefined ? [...groups, approval.breakGlass] : groups
  const channels = config.channels
    .filter((channel) => named.includes(channel.name) || channel.groups.some((group) => told.includes(group)))
    .map(({ name }): Destination => ({ kind: 'channel', name }))
  const known = new Set(config.channels.map(({ name }) => name))
  const addresses = named.filter((each) => each.includes('@') && !known.has(each) && config.smtp !== undefined)
  return [...channels, ...addresses.map((to): Destination => ({ kind: 'email', to }))]
}

/** What only the requester does. */
const own: readonly RequestChange['kind'][] = ['asked', 'reason', 'reminded', 'cancelled', 'broken']

function requester(config: NotifyConfig, row: RequestRow, change: RequestChange): Destination[] {
  // What they did themselves they know.
  if (own.includes(change.kind)) return []
  if (change.kind === 'revoked' && change.by === row.requester_id) return []
  const person = Object.hasOwn(config.people, row.requester_id) ? config.people[row.requester_id] : undefined
  const found: Destination[] = []
  if (person?.email !== undefined && config.smtp !== undefined) found.push({ kind: 'email', to: person.email })
  if (person?.slack !== undefined && config.slack !== undefined) found.push({ kind: 'slack-user', id: person.slack })
  return found
}
