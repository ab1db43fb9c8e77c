import type { RpcClient } from '../rpc/client.ts'
import type { Live } from '../rpc/live.ts'
import type { Assistance, EditorParts } from './editor.tsx'
import { PreflightPainter } from './preflight/painter.ts'
import { verdictOf } from './preflight/verdict.ts'
import type { SqlRuntime } from './runtime.ts'

interface Options extends EditorParts {
  client: RpcClient
  live: Live
  connection: string
  runtime: SqlRuntime
}

/** Everything that helps while writing in one editor, until it is gone. */
export function createAssist({ client, live, connection, runtime, ...parts }: Options): Assistance {
  const preflight = new PreflightPainter({
    ...parts,
    check: (statements, signal) => client.editor.check({ statements: [...statements] }, { signal }),
    explain: async (text, signal) => verdictOf(await client.gateway.explain({ connection, text }, { signal })),
    onStale: (ids) => {
      for (const id of ids) runtime.dismiss(id)
    },
  })
  // What may be done has changed, for this person or for all.
  const stop = live.onEvent((event) => {
    if (event.type === 'policy' || event.type === 'hello') preflight.forget()
    else if (event.type === 'grant' && event.grant.connection === connection) preflight.forget()
  })
  return {
    refresh: () => preflight.refresh(),
    dispose: () => {
      stop()
      preflight.dispose()
    },
  }
}
