import { type StatementRange, splitStatements } from '../../../shared/sql/split.ts'

/** Statements of a text that are looked at: nobody reads more of a gutter at a time. */
export const mostStatements = 60

export interface NearestQuestion {
  id: number
  text: string
  /** UTF-16 offset of what the person looks at. */
  middle: number
}

export interface NearestAnswer {
  id: number
  /** The nearest first. */
  statements: readonly StatementRange[]
}

/** The statements around a place in a text, the nearest first. Pure. */
export function nearestStatements(text: string, middle: number): StatementRange[] {
  const distance = ({ start, end }: StatementRange) =>
    start > middle ? start - middle : middle > end ? middle - end : 0
  return splitStatements(text)
    .sort((a, b) => distance(a) - distance(b))
    .slice(0, mostStatements)
}
