import type { AccessRequest } from '../shared/api/models.ts'
import { clock, exact, printable } from './output.ts'

/** What a held statement depends on beside its text. */
const bound: Readonly<Record<string, string>> = { search_path: 'Search path' }

/** All that a reviewer decides by. */
export function describe(request: AccessRequest): string {
  const { requester, connection, origin, policy, approval, progress, estimate, rowCount, text } = request
  const estimated = estimate?.state === 'planned' ? `about ${estimate.rows}` : ''
  const lines: [string, string][] = [
    [
      'State',
      request.state + (request.afterReview === undefined ? '' : `, break-glass (${request.afterReview.state})`),
    ],
    ['Who', `${requester.name} (${requester.groups.join(', ')})${origin?.onCall === true ? ', on call' : ''}`],
    [
      'From',
      [
        ...(origin?.device === undefined ? [] : [`${origin.device} (as it calls itself)`]),
        request.sourceIp,
        origin?.client ?? 'unknown client',
        origin?.mfa === true ? 'MFA' : 'no MFA',
      ].join(', '),
    ],
    ['Connection', `${connection.name} (${connection.environment})`],
    [
      'Asks for',
      request.kind === 'once' ? (request.action ?? '') : [...request.actions, ...request.dataClasses].join(', '),
    ],
    ['Tables', request.tables.join(', ')],
    ...Object.entries(request.binding ?? {}).map(([name, value]): [string, string] => [bound[name] ?? name, value]),
    ['Rows', rowCount === undefined ? estimated : `${rowCount.rows}, counted`],
    [
      'Hidden',
      request.textHidden === true ? 'values of columns that are masked for you; what runs is what was written' : '',
    ],
    ['Reason', request.reason],
    ['Rule', `${policy.id}: ${policy.reason}`],
    [
      'Approvals',
      `${progress?.given ?? 0} of ${approval.count} from ${(progress?.groups ?? [approval.group]).join(' or ')}`,
    ],
    ['Asked', `${clock(request.createdAt)} UTC`],
    ['Expires', request.state === 'pending' ? `${clock(request.expiresAt)} UTC` : ''],
  ]
  const shown = lines
    .filter(([, value]) => value !== '')
    // Further lines of somebody's words begin where the first one does: they are nobody else's lines.
    .map(([name, value]) => `${name.padEnd(11)} ${printable(value).replaceAll('\n', `\n${' '.repeat(12)}`)}\n`)
  return `${shown.join('')}${text === undefined ? '' : `\n${exact(text)}\n`}`
}
