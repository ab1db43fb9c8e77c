/** Where things are in Cedar text. Cedar reports byte offsets into one policy; people need lines of a file. */

export interface PolicySource {
  file: string
  /** The text from the end of the policy before (so with its comments) to its semicolon. */
  text: string
  /** 1-based line of the file on which `text` begins. */
  firstLine: number
  /** 1-based line of the file on which the policy itself begins, after white space and comments. */
  line: number
}

/**
 * Cuts Cedar text at the semicolons that end policies. In Cedar a semicolon is nowhere else but in strings and comments.
 * What follows the last one is returned as well when it is more than white space and comments: Cedar then says what is wrong with it.
 */
export function splitPolicies(file: string, text: string): PolicySource[] {
  const found: PolicySource[] = []
  let start = 0
  let firstLine = 1
  let line = 1
  let begin: number | undefined
  for (let i = 0; i < text.length; i++) {
    const char = text[i]
    if (char === '\n') {
      line++
      continue
    }
    if (char === '/' && text[i + 1] === '/') {
      i = endOfLine(text, i) - 1
      continue
    }
    if (char === ' ' || char === '\t' || char === '\r') continue
    begin ??= line
    if (char === '"') {
      const end = endOfString(text, i)
      for (let j = i; j < end; j++) if (text[j] === '\n') line++
      i = end
      continue
    }
    if (char === ';') {
      found.push({ file, text: text.slice(start, i + 1), firstLine, line: begin })
      start = i + 1
      firstLine = line
      begin = undefined
    }
  }
  if (begin !== undefined) found.push({ file, text: text.slice(start), firstLine, line: begin })
  return found
}

/** The line of the file for a UTF-8 byte offset into a policy's text. */
export function lineOf(source: PolicySource, byteOffset: number): number {
  return source.firstLine + newlinesBefore(source.text, byteOffset)
}

/** The line of the file where `needle` first stands in a policy's text outside comments; the policy's own line when it does not. */
export function lineOfText(source: PolicySource, needle: string): number {
  const lines = source.text.split('\n')
  const at = lines.findIndex((line) => line.includes(needle) && !line.trimStart().startsWith('//'))
  return at < 0 ? source.line : source.firstLine + at
}

/** Line breaks before a UTF-8 byte offset. */
export function newlinesBefore(text: string, byteOffset: number): number {
  let bytes = 0
  let lines = 0
  for (const char of text) {
    if (bytes >= byteOffset) break
    const code = char.codePointAt(0) ?? 0
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4
    if (code === 10) lines++
  }
  return lines
}

function endOfLine(text: string, from: number): number {
  const at = text.indexOf('\n', from)
  return at < 0 ? text.length : at
}

/** Index of the closing quote, or the end of the text. */
function endOfString(text: string, from: number): number {
  for (let i = from + 1; i < text.length; i++) {
    if (text[i] === '\\') i++
    else if (text[i] === '"') return i
  }
  return text.length
}
