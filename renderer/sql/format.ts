import { formatDialect, postgresql } from 'sql-formatter'
import { keywords } from '../decisions/sql-words.ts'

/** SQL laid out: one clause a line, two blanks deep. Throws where it can't be read, and changes nothing then. */
export function formatSql(text: string): string {
  const laidOut = formatDialect(text, {
    dialect: postgresql,
    tabWidth: 2,
    keywordCase: 'preserve',
    linesBetweenQueries: 1,
    paramTypes: { named: [':'], numbered: ['$'] },
  })
  return joinCalls(text, laidOut)
}

const comparesAll = new Set(['all', 'any', 'some'])
const notCalled = new Set(keywords.filter((word) => !comparesAll.has(word)))

/** A function that the formatter does not know gets a blank before its arguments: taken out again where none was written. */
function joinCalls(before: string, after: string): string {
  let at = 0
  let out = ''
  // The same characters in the same order, but for blanks.
  for (const [part] of after.matchAll(/\s+|\S+/g)) {
    if (/^\s/.test(part)) {
      out += part
      continue
    }
    while (/\s/.test(before.charAt(at))) at += 1
    const word = /([\w$"]+) $/.exec(out.slice(-80))?.[1]
    const call = word !== undefined && !notCalled.has(word.toLowerCase()) && /[\w$"]/.test(before.charAt(at - 1))
    out = call && part.startsWith('(') ? out.slice(0, -1) + part : out + part
    for (const char of part) {
      while (/\s/.test(before.charAt(at))) at += 1
      at += char.length
    }
  }
  return out
}

/** Where a place in a text is once the text was laid out anew: behind as many characters that are no blanks. */
export function placeAfter(before: string, offset: number, after: string): number {
  let left = before.slice(0, offset).replaceAll(/\s/g, '').length
  if (left === 0) return 0
  for (let i = 0; i < after.length; i += 1) {
    if (/\S/.test(after.charAt(i))) left -= 1
    if (left === 0) return i + 1
  }
  return after.length
}
