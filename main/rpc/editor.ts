import { setImmediate as turn } from 'node:timers/promises'
import { SyntaxChecker } from '../sql/syntax.ts'
import type { Work } from '../work.ts'
import { rpc } from './base.ts'

/** Help while writing SQL: what needs no session of the person's own. */
export function editorRouter(work: Pick<Work, 'catalog'>) {
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
  }
}
