import { setImmediate as turn } from 'node:timers/promises'
import { SyntaxChecker } from '../sql/syntax.ts'
import type { Work } from '../work.ts'
import { rpc } from './base.ts'

/** Help while writing SQL: what needs no session of the person's own. */
export function editorRouter(work: Pick<Work, 'catalog' | 'definition' | 'library'>) {
  const syntax = new SyntaxChecker()
  return {
    check: rpc.editor.check.handler(async ({ input, signal }) => {
      const answers = []
      for (const statement of input.statements) {
        answers.push((await syntax.check(statement)) ?? null)
        // Rows and terminals have their turn between two statements.
        await turn(undefined, signal === undefined ? {} : { signal })
      }
      return answers
    }),
    catalog: rpc.editor.catalog.handler(({ input }) => work.catalog(input.connection, input.refresh)),
    definition: rpc.editor.definition.handler(async ({ input }) => ({
      text: await work.definition(input.connection, input.of),
    })),
    history: rpc.editor.history.handler(({ input }) => work.library().history(input)),
    clearHistory: rpc.editor.clearHistory.handler(() => work.library().clearHistory()),
    saved: rpc.editor.saved.handler(() => work.library().saved()),
    save: rpc.editor.save.handler(({ input }) => work.library().save(input)),
    removeSaved: rpc.editor.removeSaved.handler(({ input }) => work.library().remove(input.id)),
  }
}
