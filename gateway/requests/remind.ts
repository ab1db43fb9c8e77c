import { isReasonMissing, type RequestRow } from './rows.ts'

/** Who was asked just now need not hear of it twice. */
const firstSeconds = 30
const betweenSeconds = 300

/**
 * From when on whoever asked may remind those who decide; undefined where that is no use. The pause doubles with each time, so that
 * it stays a reminder.
 */
export function remindableFrom(row: RequestRow): Date | undefined {
  if (row.state !== 'pending' || isReasonMissing(row)) return undefined
  const from = nextTime(row)
  return from < row.expires_at ? from : undefined
}

function nextTime({ created_at, reminded_at, reminders }: RequestRow): Date {
  if (reminded_at === null) return new Date(created_at.getTime() + firstSeconds * 1000)
  return new Date(reminded_at.getTime() + betweenSeconds * 2 ** (reminders - 1) * 1000)
}

/** Why nobody is reminded of it now, in words for who asked; undefined when they may be. */
export function whyNotRemind(row: RequestRow, now: Date): string | undefined {
  if (row.state !== 'pending') return `It is already ${row.state}.`
  if (row.expires_at <= now) return 'It expired before anybody decided.'
  if (isReasonMissing(row))
    return 'Nobody can approve it before you have said why. Send the reason: reviewers hear of it.'
  const left = Math.ceil((nextTime(row).getTime() - now.getTime()) / 1000)
  if (left <= 0) return undefined
  const said = row.reminded_at === null ? 'Reviewers were asked just now' : 'Reviewers were reminded already'
  return `${said}. You can remind them in ${left < 120 ? `${left} s` : `${Math.ceil(left / 60)} min`}.`
}
