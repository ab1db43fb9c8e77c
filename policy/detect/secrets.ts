import { isDigit, isLetter, isWord, type Span } from './span.ts'

/** Credentials: keys by their known beginnings, tokens, private keys, and values that a name gives away. */

interface KeyShape {
  prefix: string
  accepts(code: number): boolean
  min: number
  max: number
}

const alphanumeric = (code: number): boolean => isDigit(code) || isLetter(code)
const upper = (code: number): boolean => isDigit(code) || (code >= 65 && code <= 90)
const token = (code: number): boolean => isWord(code) || code === 45

function shapes(prefixes: readonly string[], accepts: (code: number) => boolean, min: number, max: number): KeyShape[] {
  return prefixes.map((prefix) => ({ prefix, accepts, min, max }))
}

/** Finds keys by prefix: one plain search per prefix, and a bounded look at what follows. */
function keyFinder(keys: readonly KeyShape[]): (text: string) => Span[] {
  return (text) => {
    const found: Span[] = []
    for (const { prefix, accepts, min, max } of keys) {
      for (let at = text.indexOf(prefix); at >= 0; at = text.indexOf(prefix, at + prefix.length)) {
        if (isWord(text.charCodeAt(at - 1))) continue
        const from = at + prefix.length
        let end = from
        while (end < from + max && accepts(text.charCodeAt(end))) end++
        if (end - from >= min && !accepts(text.charCodeAt(end))) found.push({ start: at, end })
      }
    }
    return keys.length > 1 ? found.sort((a, b) => a.start - b.start) : found
  }
}

export const findAwsKeys = keyFinder(shapes(['AKIA', 'ASIA'], upper, 16, 16))
export const findGithubTokens = keyFinder([
  ...shapes(['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_'], alphanumeric, 30, 255),
  ...shapes(['github_pat_'], isWord, 22, 255),
])
export const findSlackTokens = keyFinder(shapes(['xoxb-', 'xoxa-', 'xoxp-', 'xoxr-', 'xoxs-', 'xapp-'], token, 10, 255))
export const findStripeKeys = keyFinder(
  shapes(['sk_live_', 'sk_test_', 'rk_live_', 'rk_test_', 'whsec_'], alphanumeric, 16, 255),
)
export const findGoogleKeys = keyFinder(shapes(['AIza'], token, 35, 35))
export const findGitlabTokens = keyFinder(shapes(['glpat-'], token, 20, 255))
export const findNpmTokens = keyFinder(shapes(['npm_'], alphanumeric, 36, 36))

/** Keys of other clouds and services, each with a beginning of its own. */
const cloudKeys: readonly KeyShape[] = [
  ...shapes(['ya29.'], (code) => token(code) || code === 46, 20, 512),
  ...shapes(['GOCSPX-'], token, 20, 64),
  ...shapes(['AccountKey='], (code) => alphanumeric(code) || code === 43 || code === 47 || code === 61, 40, 128),
  ...shapes(['SG.'], (code) => token(code) || code === 46, 40, 128),
  ...shapes(['dop_v1_', 'doo_v1_'], alphanumeric, 64, 64),
  ...shapes(['hvs.', 'hvb.'], token, 24, 255),
  ...shapes(['shpat_', 'shpss_'], alphanumeric, 32, 32),
  ...shapes(['pypi-'], token, 50, 255),
  ...shapes(['sk-proj-', 'sk-ant-', 'sk-or-'], token, 20, 255),
  ...shapes(['AGE-SECRET-KEY-'], upper, 40, 80),
]
export const findCloudKeys = keyFinder(cloudKeys)
export const cloudKeyPrefixes: readonly string[] = cloudKeys.map(({ prefix }) => prefix)

/** JSON web tokens: three base64url parts, the first of which begins with `{"`. */
export function findJwts(text: string): Span[] {
  const found: Span[] = []
  let at = text.indexOf('eyJ')
  while (at >= 0) {
    const dot = tokenEnd(text, at)
    let next = dot
    if (!token(text.charCodeAt(at - 1)) && text[dot] === '.') {
      const second = tokenEnd(text, dot + 1)
      next = dot + 1
      if (text[second] === '.' && second - dot > 8) {
        const end = tokenEnd(text, second + 1)
        found.push({ start: at, end })
        next = end
      }
    }
    at = text.indexOf('eyJ', next)
  }
  return found
}

function tokenEnd(text: string, from: number): number {
  let end = from
  while (end < text.length && token(text.charCodeAt(end))) end++
  return end
}

const begin = '-----BEGIN '
const maxKeyBlock = 16_384

/** PEM and OpenSSH private keys, from the first dash to the last; a block without its end is masked as far as it looks like one. */
export function findPrivateKeys(text: string): Span[] {
  const found: Span[] = []
  let from = 0
  for (let at = text.indexOf(begin); at >= 0; at = text.indexOf(begin, from)) {
    from = at + begin.length
    const header = text.indexOf('-----', from)
    if (header < 0 || header - from > 64) continue
    if (!text.slice(from, header).endsWith('PRIVATE KEY')) continue
    const limit = Math.min(text.length, at + maxKeyBlock)
    let end = header + 5
    while (end < limit && isPem(text.charCodeAt(end)) && !text.startsWith('-----', end)) end++
    if (text.startsWith('-----END ', end)) {
      const close = text.indexOf('-----', end + 9)
      end = close >= 0 && close - end < 80 ? close + 5 : end + 9
    }
    found.push({ start: at, end })
    from = end
  }
  return found
}

/** Base64, white space, and the `Proc-Type: 4,ENCRYPTED` lines of old keys. Backslashes: keys quoted in JSON. */
function isPem(code: number): boolean {
  return isWord(code) || code === 10 || code === 13 || ' \t+/=:,-\\'.includes(String.fromCharCode(code))
}

/** In lower case; what is named may be in capitals. */
export const secretNames = [
  'password',
  'passwd',
  'pwd',
  'passphrase',
  'secret',
  'token',
  'apikey',
  'api_key',
  'api-key',
  'access_key',
  'access-key',
  'secret_key',
  'private_key',
  'pgpassword',
]
/** Most names in a log end in no such letter, and need no closer look. */
const lastLetters: ReadonlySet<number> = new Set(
  secretNames.flatMap((name) => [name, name.toUpperCase()].map((each) => each.charCodeAt(each.length - 1))),
)
const maxName = 40
const maxValue = 256
/** After a name with a space: `PASSWORD 'x'` of SQL, `--password x` of a command line. */
const spaced = /(?:\bpassword[ \t]{1,8}(?=')|--(?:password|passwd|token|secret|api-key)[ \t]{1,8})/gi

/** The value of `password=…`, `"api_key": "…"`, `PASSWORD '…'`, `--token …`: the value alone, so that the line stays readable. */
export function findPasswords(text: string): Span[] {
  const found: Span[] = []
  for (const sign of ['=', ':']) {
    for (let at = text.indexOf(sign); at >= 0; at = text.indexOf(sign, at + 1)) {
      if (!namesSecret(text, at)) continue
      const span = valueAt(text, at + 1)
      if (span) {
        found.push(span)
        at = span.end - 1
      }
    }
  }
  // Not matchAll, which makes a new expression for every text.
  spaced.lastIndex = 0
  for (let match = spaced.exec(text); match !== null; match = spaced.exec(text)) {
    const span = valueAt(text, match.index + match[0].length)
    if (span) found.push(span)
  }
  return found.length < 2 ? found : disjoint(found)
}

function disjoint(spans: Span[]): Span[] {
  spans.sort((a, b) => a.start - b.start || b.end - a.end)
  const kept: Span[] = []
  for (const span of spans) if (span.start >= (kept.at(-1)?.end ?? 0)) kept.push(span)
  return kept
}

/** Whether what stands before the sign, less spaces and a quote, ends in the name of a secret. */
function namesSecret(text: string, sign: number): boolean {
  let end = sign
  while (end > 0 && sign - end < 3 && (text[end - 1] === ' ' || text[end - 1] === '\t')) end--
  const quote = text[end - 1]
  if (quote === '"' || quote === "'") end--
  if (!lastLetters.has(text.charCodeAt(end - 1))) return false
  let start = end
  while (start > 0 && end - start < maxName && token(text.charCodeAt(start - 1))) start--
  const name = text.slice(start, end).toLowerCase()
  return secretNames.some((secret) => name.endsWith(secret))
}

function valueAt(text: string, from: number): Span | undefined {
  let start = from
  while (start - from < 3 && (text[start] === ' ' || text[start] === '\t')) start++
  const quote = text[start]
  const quoted = quote === '"' || quote === "'"
  if (quoted) start++
  const limit = Math.min(text.length, start + maxValue)
  let end = start
  while (end < limit && (quoted ? text[end] !== quote && text[end] !== '\n' : isValue(text, end))) end++
  return end - start >= 4 && !plainWords.has(text.slice(start, end).toLowerCase()) ? { start, end } : undefined
}

const plainWords: ReadonlySet<string> = new Set(['null', 'none', 'true', 'false', 'undefined', 'required'])

function isValue(text: string, at: number): boolean {
  const code = text.charCodeAt(at)
  return code > 32 && !'"\'`;&,)}]<>|'.includes(text[at] ?? '')
}

/** The password of `scheme://user:password@host`. */
export function findUrlCredentials(text: string): Span[] {
  const found: Span[] = []
  for (let at = text.indexOf('://'); at >= 0; at = text.indexOf('://', at + 3)) {
    const limit = Math.min(text.length, at + 3 + 512)
    let colon = -1
    for (let i = at + 3; i < limit; i++) {
      const code = text.charCodeAt(i)
      if (code === 64) {
        if (colon > 0 && i - colon > 1) found.push({ start: colon + 1, end: i })
        break
      }
      if (code === 58 && colon < 0) colon = i
      else if (code <= 32 || code === 47 || code === 34 || code === 39) break
    }
  }
  return found
}

const bearer = /\b(?:bearer|basic)[ \t]{1,4}([A-Za-z0-9._~+/=-]{16,})/gi

/** What follows `Bearer` or `Basic`, as in an Authorization header. */
export function findBearers(text: string): Span[] {
  const found: Span[] = []
  bearer.lastIndex = 0
  for (let match = bearer.exec(text); match !== null; match = bearer.exec(text)) {
    const end = match.index + match[0].length
    found.push({ start: end - (match[1] ?? '').length, end })
  }
  return found
}
