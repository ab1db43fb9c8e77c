import { implement } from '@orpc/server'
import { rpcContract } from '../../../shared/rpc/contract.ts'
import * as data from './fixtures.ts'

/** The editor's help, from fixtures. */
export function editorFixture() {
  const { editor } = implement(rpcContract)
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
    })),
    history: editor.history.handler(({ input }) => {
      const entries = data.ranStatements.filter((entry) =>
        entry.text.toLowerCase().includes(input.search.toLowerCase()),
      )
      return { entries, more: false }
    }),
    clearHistory: editor.clearHistory.handler(() => undefined),
    saved: editor.saved.handler(() => data.savedQueries),
    save: editor.save.handler(({ input }) => ({ ...input, id: input.id ?? 'saved-new', savedAt: data.at(0) })),
    removeSaved: editor.removeSaved.handler(() => undefined),
  }
}
