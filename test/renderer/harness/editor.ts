import { implement } from '@orpc/server'
import { rpcContract } from '../../../shared/rpc/contract.ts'
import type { SavedQuery } from '../../../shared/rpc/editor.ts'
import * as data from './fixtures.ts'

/** The editor's help, from fixtures. */
export function editorFixture() {
  const { editor } = implement(rpcContract)
  let kept: SavedQuery[] = data.savedQueries
  return {
    check: editor.check.handler(({ input }) =>
      input.statements.map((sql) =>
        /^selec\b/i.test(sql) ? { message: `syntax error at or near "${sql.slice(0, 5)}"`, position: 0 } : null,
      ),
    ),
    catalog: editor.catalog.handler(() => ({
      tables: data.schema.map((table) => ({
        ...table,
        columns: table.columns.map((column) => ({ ...column, notNull: false })),
      })),
      keys: [],
      indexes: [],
      functions: [],
      types: [],
    })),
    definition: editor.definition.handler(() => ({ text: 'SELECT 1' })),
    history: editor.history.handler(({ input }) => {
      const entries = data.ranStatements.filter((entry) =>
        entry.text.toLowerCase().includes(input.search.toLowerCase()),
      )
      return { entries, more: false }
    }),
    clearHistory: editor.clearHistory.handler(() => undefined),
    saved: editor.saved.handler(() => kept),
    save: editor.save.handler(({ input }) => {
      const query = { ...input, id: input.id ?? 'saved-new', savedAt: data.at(0) }
      kept = [...kept.filter((other) => other.id !== query.id), query]
      return query
    }),
    removeSaved: editor.removeSaved.handler(({ input }) => {
      kept = kept.filter((query) => query.id !== input.id)
    }),
  }
}
