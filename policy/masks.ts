/**
 * What a sensitive value becomes. Pure: the keyed hash comes from the caller, who holds the key.
 * These run per value on millions of rows, so they work on char codes and build short strings.
 */

export const maskKinds = ['redact', 'partial', 'hash', 'null', 'format'] as const
export type MaskKind = (typeof maskKinds)[number]

/** A keyed one-way function: 64 hex digits, the same for the same value (HMAC-SHA256 with the agent's key). */
export type KeyedHash = (value: string) => string

/** Null is SQL NULL. */
export type Mask = (value: string) => string | null

export const redacted = '••••••••'

export function maskFor(kind: MaskKind, hash: KeyedHash): Mask {
  switch (kind) {
    case 'redact':
      return () => redacted
    case 'partial':
      return partial
    case 'hash':
      return (value) => hash(value).slice(0, 16)
    case 'null':
      return () => null
    case 'format':
      return (value) => formatPreserving(value, hash)
  }
}

/**
 * Keeps what helps to recognise a value and hides the rest: `a•••@•••.com`, `•••• •••• •••• 4417`, `+••• •• ••• 4567`.
 * What it is is told by its look; anything short is hidden whole.
 */
export function partial(value: string): string {
  const at = value.lastIndexOf('@')
  if (at > 0) return partialEmail(value, at)
  let digits = 0
  let letters = 0
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i)
    if (isDigit(code)) digits++
    else if (!isSeparator(code)) letters++
  }
  if (letters === 0 && digits >= 13 && digits <= 19) return `•••• •••• •••• ${lastDigits(value, 4)}`
  return partialTail(value, digits + letters)
}

function partialEmail(value: string, at: number): string {
  const first = String.fromCodePoint(value.codePointAt(0) ?? 0x2022)
  const dot = value.lastIndexOf('.')
  const suffix = dot > at ? value.slice(dot + 1) : ''
  return isShortWord(suffix) ? `${first}•••@•••.${suffix}` : `${first}•••@•••`
}

/** Two to ten ASCII letters: a top-level domain that tells nothing about the person. */
function isShortWord(text: string): boolean {
  if (text.length < 2 || text.length > 10) return false
  for (let i = 0; i < text.length; i++) if (!isLetter(text.charCodeAt(i))) return false
  return true
}

/** Keeps separators and the last third, at most four characters, of what carries meaning. */
function partialTail(value: string, meaningful: number): string {
  const keep = meaningful < 6 ? 0 : Math.min(4, Math.floor(meaningful / 3))
  let hidden = meaningful - keep
  let out = ''
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i)
    if (isSeparator(code)) out += value[i]
    else if (hidden > 0) {
      out += '•'
      hidden--
    } else out += value[i]
  }
  return out
}

function lastDigits(value: string, count: number): string {
  let out = ''
  for (let i = value.length - 1; i >= 0 && out.length < count; i--) {
    if (isDigit(value.charCodeAt(i))) out = `${value[i]}${out}`
  }
  return out
}

/**
 * Digits become digits and letters letters of the same case, chosen by the keyed hash of the whole value: the same value
 * gives the same result, its look stays, and there is no way back without trying every value with the key.
 */
export function formatPreserving(value: string, hash: KeyedHash): string {
  let stream = hash(value)
  let used = 0
  let block = 0
  const next = (): number => {
    if (used + 4 > stream.length) {
      block++
      stream = hash(`${block}:${value}`)
      used = 0
    }
    used += 4
    return Number.parseInt(stream.slice(used - 4, used), 16)
  }
  let out = ''
  for (const char of value) {
    const code = char.codePointAt(0) ?? 0
    if (isDigit(code)) out += String.fromCharCode(48 + (next() % 10))
    else if (code >= 97 && code <= 122) out += String.fromCharCode(97 + (next() % 26))
    else if (code >= 65 && code <= 90) out += String.fromCharCode(65 + (next() % 26))
    else if (code < 128) out += char
    else out += '•'
  }
  return out
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57
}

function isLetter(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 65 && code <= 90)
}

/** White space and punctuation of ASCII. */
function isSeparator(code: number): boolean {
  return code < 128 && !isDigit(code) && !isLetter(code)
}
