import type { TextMask } from '../port.ts'
import { backend, cstring, message, zeroAt } from './messages.ts'
import type { Letters } from './text/charsets/charset.ts'

/**
 * A NotificationResponse whose payload shows nothing masked; undefined when it is good as it is. Triggers send whole rows
 * this way, and no analysis of a statement sees them.
 */
export function maskedNotification(
  buf: Buffer,
  start: number,
  end: number,
  masks: readonly TextMask[],
  letters?: Letters,
): Buffer | undefined {
  const channelEnd = zeroAt(buf, start + 9, end)
  const payloadEnd = zeroAt(buf, channelEnd + 1, end)
  const payload = letters?.decode(buf, channelEnd + 1, payloadEnd) ?? buf.toString('utf8', channelEnd + 1, payloadEnd)
  let shown = payload
  for (const one of masks) shown = masked(shown, one)
  if (shown === payload) return undefined
  const written = letters?.encode(`${shown}\0`) ?? cstring(shown)
  return message(backend.notification, buf.subarray(start + 5, channelEnd + 1), written)
}

function masked(text: string, { find, mask }: TextMask): string {
  let out = ''
  let from = 0
  for (const span of find(text)) {
    out += text.slice(from, span.start) + mask(text.slice(span.start, span.end))
    from = span.end
  }
  return from === 0 ? text : out + text.slice(from)
}
