import { formatDialect, postgresql } from 'sql-formatter'

/** SQL laid out: one clause a line, two blanks deep. Throws where it can't be read, and changes nothing then. */
export function formatSql(text: string): string {
  return formatDialect(text, {
    dialect: postgresql,
    tabWidth: 2,
    keywordCase: 'preserve',
    linesBetweenQueries: 1,
    paramTypes: { named: [':'], numbered: ['$'] },
  })
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
