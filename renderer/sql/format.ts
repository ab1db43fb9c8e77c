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
