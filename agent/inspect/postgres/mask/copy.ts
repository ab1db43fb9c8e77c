import { FrameError } from '../frames.ts'
import { frontend, message } from '../messages.ts'
import type { Letters } from '../text/charsets/charset.ts'
import type { FieldMask } from './rows.ts'

/**
 * Masks in COPY … TO STDOUT, text format with its default options. The server sends one row per message:
 *
 *   d CopyData   field (TAB field)* LF      \N is NULL; \b \f \n \r \t \v \\ stand for their characters
 */
const escapes: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' }
const unescapes: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
}

/** The CopyData message `buf[start, end)`, masked. Throws FrameError when it is not one row of the described shape. */
export function maskCopyRow(
  masks: readonly (FieldMask | null)[],
  buf: Buffer,
  start: number,
  end: number,
  letters?: Letters,
): Buffer {
  // In some encodings a TAB or backslash may be half of a letter: they are looked for among letters, not bytes.
  const line = letters === undefined ? buf.toString('utf8', start + 5, end) : letters.decode(buf, start + 5, end)
  if (line === undefined) throw new FrameError('COPY data that can not be read in the client encoding')
  if (!line.endsWith('\n') || line.indexOf('\n') !== line.length - 1) {
    throw new FrameError('COPY data that is not one row to a message')
  }
  const fields = line.slice(0, -1).split('\t')
  if (masks.length === 0 || fields.length !== masks.length) {
    throw new FrameError('a COPY row with another number of fields than was described')
  }
  const masked = fields.map((field, i) => {
    const mask = masks[i]
    if (mask === null || field === '\\N') return field
    const value = mask === undefined ? null : replaced(mask, field)
    return value === null ? '\\N' : withEscapes(value)
  })
  return message(
    frontend.copyData,
    letters?.encode(`${masked.join('\t')}\n`) ?? Buffer.from(`${masked.join('\t')}\n`, 'utf8'),
  )
}

function replaced(mask: FieldMask, field: string): string | null {
  switch (mask.kind) {
    case 'null':
      return null
    case 'fixed':
      return mask.value.text.toString('utf8')
    case 'rewrite':
      return mask.text(withoutEscapes(field))
    case 'value':
      return mask.mask(withoutEscapes(field))
  }
}

function withoutEscapes(field: string): string {
  if (!field.includes('\\')) return field
  return field.replaceAll(/\\([\s\S])/g, (_, code: string) => escapes[code] ?? code)
}

function withEscapes(value: string): string {
  return value.replaceAll(/[\\\b\f\n\r\t\v]/g, (char) => unescapes[char] ?? char)
}
