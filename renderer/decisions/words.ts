import type { AccessRequest } from '../../shared/api/models.ts'
import type { Outcome } from '../../shared/recording.ts'
import type { IconName } from './icon.tsx'

/** One look for each decision and end state: word, icon and colour tokens (`d-<tone>`), the same wherever it appears. */
export interface Look {
  word: string
  icon: IconName
  tone: 'allowed' | 'masked' | 'held' | 'blocked' | 'granted' | 'ended' | 'info'
}

export const looks = {
  allowed: { word: 'Allowed', icon: 'check', tone: 'allowed' },
  masked: { word: 'Masked', icon: 'eye-off', tone: 'masked' },
  held: { word: 'Held', icon: 'hourglass', tone: 'held' },
  blocked: { word: 'Blocked', icon: 'shield-x', tone: 'blocked' },
  granted: { word: 'Granted', icon: 'key', tone: 'granted' },
  approved: { word: 'Approved', icon: 'key', tone: 'granted' },
  denied: { word: 'Denied', icon: 'circle-x', tone: 'blocked' },
  expired: { word: 'Expired', icon: 'clock', tone: 'ended' },
  cancelled: { word: 'Cancelled', icon: 'undo', tone: 'ended' },
  /** Somebody went on without an approval. Never in the green of one. */
  brokeGlass: { word: 'Break-glass', icon: 'alert', tone: 'blocked' },
  revoked: { word: 'Revoked', icon: 'ban', tone: 'ended' },
  ended: { word: 'Ended', icon: 'clock', tone: 'ended' },
  /** The target's own error: red, but never with the shield of a decision. */
  failed: { word: 'Failed', icon: 'circle-x', tone: 'blocked' },
  running: { word: 'Running', icon: 'play', tone: 'info' },
  /** Foretold by nobody: only its session can tell. */
  later: { word: 'Decided when run', icon: 'clock', tone: 'info' },
} as const satisfies Record<string, Look>

export type LookName = keyof typeof looks

/** How a recorded request ended up. */
export function outcomeLook(outcome: Outcome | 'held'): Look {
  return looks[outcome]
}

/** A request's chip: where it stands, with the approvals it has and needs. */
export function requestLook(request: AccessRequest, now: number): Look & { detail?: string } {
  switch (request.state) {
    case 'pending':
      return { ...looks.held, detail: `${approvals(request)} of ${request.approval.count}` }
    case 'approved': {
      if (request.afterReview !== undefined) return looks.brokeGlass
      if (request.kind === 'once') return looks.approved
      const over = request.grant !== undefined && Date.parse(request.grant.endsAt) <= now
      return over ? looks.ended : looks.granted
    }
    case 'denied':
      return looks.denied
    case 'expired':
      return looks.expired
    case 'cancelled':
      return looks.cancelled
    case 'revoked':
      return looks.revoked
    default:
      return request.state satisfies never
  }
}

export function approvals(request: AccessRequest): number {
  return request.reviews.filter((review) => review.verdict === 'approve').length
}

/** What a request asks for, in a line: the statement's first words, or the actions and the time. */
export function requestTitle(request: AccessRequest): string {
  if (request.kind === 'once') return statementTitle(request.text ?? '', request.tables, request.action)
  const duration = request.durationSeconds === undefined ? '' : `, ${spokenDuration(request.durationSeconds)}`
  return `${actionWords(request.actions, request.dataClasses)}${duration}`
}

/** `DELETE payments` for a statement with known tables, its first line otherwise. */
export function statementTitle(text: string, tables: readonly string[], action?: string): string {
  const verb = action?.startsWith('sql:') ? firstWord(text) : undefined
  if (verb !== undefined && tables.length > 0) return `${verb} ${tables.map(bareName).join(', ')}`
  return firstLine(text)
}

/** The tables that a statement names first, for a title only: what it touches is for the gateway to say. */
export function roughTables(text: string): string[] {
  const names = [
    ...text.matchAll(
      /\b(?:from|join|update|into|table|truncate)\s+(?:only\s+)?((?:"[^"]+"|[A-Za-z_][\w$]*)(?:\.(?:"[^"]+"|[A-Za-z_][\w$]*))*)/gi,
    ),
  ]
  return [...new Set(names.map((match) => (match[1] ?? '').replaceAll('"', '')))]
}

export function firstLine(text: string): string {
  const line = text
    .trim()
    .split('\n')
    .find((l) => l.trim() !== '')
  return line?.trim() ?? ''
}

function firstWord(text: string): string | undefined {
  return text
    .replace(/^(\s|--[^\n]*\n|\/\*[\s\S]*?\*\/)+/, '')
    .match(/^[A-Za-z]+/)?.[0]
    ?.toUpperCase()
}

/** `customers` of `public.customers`. */
export function bareName(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1)
}

const actionNames: Readonly<Record<string, string>> = {
  connect: 'connect',
  'sql:read': 'read',
  'sql:write': 'write',
  'sql:ddl': 'schema changes',
  'sql:admin': 'administration',
  'sql:session': 'BEGIN, SET',
  'sql:copy': 'COPY TO',
  'sql:copy-in': 'COPY FROM',
  'sql:copy-file': 'COPY on the server',
  'sql:role': 'roles',
  'sql:system': 'ALTER SYSTEM',
  'sql:replication': 'replication',
  'sql:unknown': 'statements not known',
  'ssh:shell': 'shell',
  'ssh:exec': 'commands',
  'ssh:sftp': 'file transfer',
  'ssh:forward': 'port forwarding',
  'rdp:connect': 'open the desktop',
  'rdp:clipboard': 'clipboard',
  'rdp:clipboard-content': 'record what the clipboard holds',
  'rdp:drive': 'drives',
  'rdp:printer': 'printers',
  'rdp:audio': 'sound',
  'rdp:usb': 'USB devices',
  unmask: 'see masked values',
}

/** An action as people read it; one of a statement kind by that kind (`sql:delete`: DELETE). */
export function actionName(action: string): string {
  return actionNames[action] ?? (action.startsWith('sql:') ? action.slice(4).toUpperCase() : action)
}

export function actionWords(actions: readonly string[], dataClasses: readonly string[]): string {
  const words = actions.map((action) =>
    action === 'unmask' && dataClasses.length > 0 ? `unmask ${dataClasses.join(', ')}` : actionName(action),
  )
  return capitalise(words.join(', '))
}

export function capitalise(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

/** With a full stop, where it ends in none. */
export function sentence(text: string): string {
  const trimmed = text.trim()
  return trimmed === '' || /[.!?]$/.test(trimmed) ? trimmed : `${trimmed}.`
}

/** `30 min`, `1 hour`, `4 hours`. */
export function spokenDuration(seconds: number): string {
  if (seconds < 60) return `${seconds} s`
  if (seconds % 3600 === 0) return seconds === 3600 ? '1 hour' : `${seconds / 3600} hours`
  const hours = Math.floor(seconds / 3600)
  const minutes = Math.round((seconds % 3600) / 60)
  return hours === 0 ? `${minutes} min` : `${hours} h ${minutes} min`
}

/** `1 row`, `2 rows`, `50,000 rows`. */
export function counted(n: number, one: string, many = `${one}s`): string {
  return `${n.toLocaleString('en-GB')} ${n === 1 ? one : many}`
}
