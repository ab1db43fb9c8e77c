import { DeepLink } from './rpc/contract.ts'

/** The scheme that the desktop client registers with the system. */
export const deepLinkScheme = 'sallyport'

const shape = /^sallyport:\/\/(request|connection|session)\/([A-Za-z0-9._-]{1,64})\/?$/
const moment = /^sallyport:\/\/session\/([A-Za-z0-9_-]{1,64})\/at\/(\d{1,7})$/

/**
 * Parses `sallyport://request/ID`, `…/connection/NAME`, `…/session/ID` and `…/session/ID/at/SECONDS`, once, at the edge; undefined for anything else.
 * A link comes from any page or mail, so it names a view and nothing more: no query, no fragment, no second meaning.
 */
export function parseDeepLink(text: string): DeepLink | undefined {
  const [, session, seconds] = moment.exec(text) ?? []
  if (session !== undefined) return { to: 'session', id: session, at: Number(seconds) }
  const match = shape.exec(text)
  const [, to, id] = match ?? []
  const candidate = to === 'connection' ? { to, name: id } : { to, id }
  const parsed = DeepLink.safeParse(candidate)
  return parsed.success ? parsed.data : undefined
}

/** The first deep link among a process's arguments: how Windows and Linux hand one over. */
export function deepLinkAmong(argv: readonly string[]): DeepLink | undefined {
  for (const argument of argv) {
    const link = parseDeepLink(argument)
    if (link !== undefined) return link
  }
  return undefined
}
