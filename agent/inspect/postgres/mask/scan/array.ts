import { FrameError } from '../../frames.ts'
import type { Finder } from './json.ts'

/**
 * Masks the elements of an array of texts or JSON, in either format:
 *
 *   text     {a,"b c",NULL,{…}}, with bounds before it where they don't begin at 1
 *   binary   ndim:int32 flags:int32 type:int32 (size:int32 lower:int32)* (length:int32 bytes)*     length -1 is NULL
 */
export function maskArray(value: Buffer, mask: Finder): Buffer {
  // Text begins with a brace or bracket; the number of dimensions is at most 6.
  return value[0] === 0 ? maskBinary(value, mask) : Buffer.from(maskText(value.toString('utf8'), mask), 'utf8')
}

const mostDimensions = 6

function maskBinary(value: Buffer, mask: Finder): Buffer {
  const dimensions = value.length < 12 ? -1 : value.readInt32BE(0)
  if (dimensions < 0 || dimensions > mostDimensions) throw new FrameError('an array that is none')
  let at = 12 + 8 * dimensions
  const parts: Buffer[] = [value.subarray(0, at)]
  while (at < value.length) {
    if (at + 4 > value.length) throw new FrameError('an array that ends too early')
    const length = value.readInt32BE(at)
    const end = at + 4 + Math.max(length, 0)
    if (end > value.length) throw new FrameError('an array element that is longer than its array')
    const said = length > 0 ? value.toString('utf8', at + 4, end) : ''
    const masked = said === '' ? said : mask(said)
    if (masked === said) parts.push(value.subarray(at, end))
    else {
      const bytes = Buffer.from(masked, 'utf8')
      const size = Buffer.allocUnsafe(4)
      size.writeInt32BE(bytes.length)
      parts.push(size, bytes)
    }
    at = end
  }
  return Buffer.concat(parts)
}

/** The same for the text format alone: COPY's. */
export function maskText(text: string, mask: Finder): string {
  let out = ''
  let at = text.startsWith('[') ? text.indexOf('=') + 1 : 0
  let from = 0
  while (at < text.length) {
    const char = text[at] ?? ''
    if ('{},'.includes(char)) {
      at++
      continue
    }
    const quoted = char === '"'
    const end = quoted ? quotedEnd(text, at) : bareEnd(text, at)
    const raw = text.slice(at, end)
    const said = quoted ? raw.slice(1, -1).replaceAll(/\\([\s\S])/g, '$1') : raw
    const masked = mask(said)
    if (masked !== said) {
      out += `${text.slice(from, at)}"${masked.replaceAll(/["\\]/g, '\\$&')}"`
      from = end
    }
    at = end
  }
  return out + text.slice(from)
}

function quotedEnd(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === '\\') at++
    else if (text[at] === '"') return at + 1
  }
  return text.length
}

function bareEnd(text: string, start: number): number {
  let at = start
  while (at < text.length && !'{},'.includes(text[at] ?? '')) at++
  return at
}
