import type { IntoClause, SelectStmt } from 'libpg-query'

/** SELECT INTO: the first of all that set operations combine has it. */
export function intoOf(node: SelectStmt): IntoClause | undefined {
  let first = node
  while (first.larg) first = first.larg
  return first.intoClause
}
