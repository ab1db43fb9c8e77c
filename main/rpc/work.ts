import { fail } from '../problem.ts'
import { rearranged } from '../sql/rearrange.ts'
import { shortened } from '../sql/window.ts'
import type { Work } from '../work.ts'
import { rpc } from './base.ts'
import { told } from './errors.ts'

const maxWindow = 10_000

/** SQL sessions, terminals, desktops and endpoints. */
export function workRouters(work: Work) {
  const { sql, terminal, desktop, endpoints } = rpc
  return {
    sql: {
      open: sql.open.handler(({ input }) => work.openSql(input.connection, input.page)),
      run: sql.run.handler(({ input, signal }) => told(work.sqlSession(input.id).run(input, signal))),
      ends: sql.ends.handler(({ input, signal }) => told(work.sqlSession(input.id).ends(signal))),
      rows: sql.rows.handler(async ({ input }) => {
        const { result, from, to, maxCell } = input
        if (to - from > maxWindow) throw fail('bad-input', `At most ${maxWindow} rows can be read at a time.`)
        const store = work.result(result)
        const rows = await store.window(from, to)
        const { total, complete } = { total: store.kept, complete: store.complete }
        return { ...shortened(rows, from, maxCell), total, complete }
      }),
      export: sql.export.handler(({ input, signal }) => told(work.exportResult(input, signal))),
      saveCell: sql.saveCell.handler(({ input, signal }) => told(work.exportCell(input, signal))),
      rearrange: sql.rearrange.handler(async ({ input }) => ({ text: await rearranged(input) })),
      endTransaction: sql.endTransaction.handler(async ({ input }) => ({
        state: await work.sqlSession(input.id).endTransaction(input.how),
      })),
      cancel: sql.cancel.handler(({ input }) => work.sqlSession(input.id).cancel()),
      renew: sql.renew.handler(({ input }) => work.sqlSession(input.id).renew()),
      release: sql.release.handler(({ input }) => work.release(input.result)),
      close: sql.close.handler(({ input }) => work.closeSql(input.id)),
    },
    terminal: {
      open: terminal.open.handler(({ input }) => ({ id: work.openTerminal(input.connection, input) })),
      attach: terminal.attach.handler(({ input, signal }) => told(work.terminal(input.id).attach(signal))),
      write: terminal.write.handler(({ input }) => work.terminal(input.id).write(input.data)),
      resize: terminal.resize.handler(({ input }) => work.terminal(input.id).resize(input.cols, input.rows)),
      close: terminal.close.handler(({ input }) => work.closeTerminal(input.id)),
    },
    desktop: {
      open: desktop.open.handler(async ({ input }) => ({
        id: await work.openDesktop(input.connection, input.program, input.page),
      })),
      attach: desktop.attach.handler(({ input, signal }) => told(work.desktop(input.id).state.watch(signal))),
      launch: desktop.launch.handler(({ input }) => work.launchDesktop(input.id, input.program)),
      front: desktop.front.handler(({ input }) => work.desktop(input.id).front()),
      password: desktop.password.handler(({ input }) => work.desktop(input.id).password()),
      view: desktop.view.handler(({ input, signal }) => told(base64(work.desktop(input.id).viewer().read(signal)))),
      send: desktop.send.handler(({ input }) =>
        work.desktop(input.id).viewer().send(Buffer.from(input.data, 'base64')),
      ),
      end: desktop.end.handler(({ input }) => work.desktop(input.id).end()),
      close: desktop.close.handler(({ input }) => work.closeDesktop(input.id)),
    },
    endpoints: {
      list: endpoints.list.handler(() => work.listEndpoints()),
      open: endpoints.open.handler(({ input }) => work.openEndpoint(input.connection, input.port)),
      close: endpoints.close.handler(({ input }) => work.closeEndpoint(input.connection)),
      configure: endpoints.configure.handler(({ input }) => {
        const { connection, port, atStart } = input
        return work.configureEndpoint(connection, {
          ...(port === undefined ? {} : { port }),
          ...(atStart === undefined ? {} : { atStart }),
        })
      }),
      changes: endpoints.changes.handler(({ signal }) => told(work.endpointChanges.read(signal))),
    },
  }
}

async function* base64(chunks: AsyncIterable<Buffer>): AsyncGenerator<string, void, void> {
  for await (const chunk of chunks) yield chunk.toString('base64')
}
