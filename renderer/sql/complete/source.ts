/** Something that columns come from: a table, a common table expression, or a subquery in FROM. */
export interface Source {
  /** What it is called in the statement; the table's own name where it has no alias. */
  name: string
  table?: { schema: string | undefined; name: string }
  /** Names of its columns, where the statement itself says them. `undefined`: ask the catalog. */
  columns?: readonly string[]
  /** Where it gets its name. */
  at: { start: number; end: number }
}
