/**
 * Masks inside JSON, which stays JSON: strings are searched as what they say, escapes undone, and a number that is masked becomes a
 * string. A value is searched with its key as well, since `"password": "…"` is told by its name.
 *
 * Works on the text of json and jsonb as the server writes it; what is not well formed there is searched as plain text.
 */
export function maskJson(text: string, find: Finder): string {
  // jsonb in binary format has its version before the text.
  const version = text.startsWith(jsonbVersion) ? jsonbVersion : ''
  const body = version === '' ? text : text.slice(1)
  let out = ''
  let from = 0
  let key: string | undefined
  for (let at = 0; at < body.length; ) {
    const code = body.charCodeAt(at)
    if (code === quote) {
      const end = stringEnd(body, at)
      const said = end < 0 ? undefined : decoded(body.slice(at, end))
      if (said === undefined) return version + find(body)
      const isKey = nextIs(body, end, colon)
      const masked = key === undefined ? find(said) : behindKey(key, said, find)
      if (masked !== said) {
        out += body.slice(from, at) + JSON.stringify(masked)
        from = end
      }
      key = isKey ? said : undefined
      at = end
    } else if (isNumeric(code) && code !== 0x65 && code !== 0x45) {
      let end = at + 1
      while (end < body.length && isNumeric(body.charCodeAt(end))) end++
      const said = body.slice(at, end)
      const masked = key === undefined ? find(said) : behindKey(key, said, find)
      if (masked !== said) {
        out += body.slice(from, at) + JSON.stringify(masked)
        from = end
      }
      key = undefined
      at = end
    } else {
      // Anything but white space and the colon itself ends what a key is the name of.
      if (code === comma || code === openBrace || code === openBracket) key = undefined
      at++
    }
  }
  return from === 0 ? text : version + out + body.slice(from)
}

/** Gives a text back with everything sensitive in it masked. */
export type Finder = (text: string) => string

const jsonbVersion = '\u0001'
const quote = 0x22
const backslash = 0x5c
const colon = 0x3a
const comma = 0x2c
const openBrace = 0x7b
const openBracket = 0x5b

/** What becomes of a value that stands behind a key. */
function behindKey(key: string, value: string, find: Finder): string {
  const masked = find(value)
  if (masked !== value) return masked
  const before = `"${key}": "`
  // A quote within would end the value for whoever looks for `"name": "value"`.
  const bare = value.replaceAll(/["'\n]/g, '_')
  const both = find(`${before}${bare}"`)
  if (both.endsWith(`": "${bare}"`)) return value
  return bare === value && both.startsWith(before) && both.endsWith('"') ? both.slice(before.length, -1) : hidden
}

const hidden = '••••••••'

/** Behind the closing quote; -1: there is none. */
function stringEnd(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === backslash) at++
    else if (code === quote) return at + 1
  }
  return -1
}

function decoded(token: string): string | undefined {
  if (!token.includes('\\')) return token.slice(1, -1)
  try {
    const value: unknown = JSON.parse(token)
    return typeof value === 'string' ? value : undefined
  } catch {
    return undefined
  }
}

function nextIs(text: string, from: number, code: number): boolean {
  let at = from
  while (at < text.length && text.charCodeAt(at) <= 0x20) at++
  return text.charCodeAt(at) === code
}

/** Digits, sign, point and exponent. */
function isNumeric(code: number): boolean {
  return (
    (code >= 0x30 && code <= 0x39) || code === 0x2d || code === 0x2e || code === 0x2b || code === 0x45 || code === 0x65
  )
}
