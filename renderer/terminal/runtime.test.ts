import { createRouterClient, implement } from '@orpc/server'
import { expect, test } from 'vitest'
import { rpcContract } from '../../shared/rpc/contract.ts'
import { createTerminalRuntime, type Screen, saidNow } from './runtime.ts'

const ended = { kind: 'ended', reason: 'a planned switch-over' } as const

const screen: Screen = { write: async () => {}, annotate: async () => {} }

/** A core whose terminal has a name only when `named` is called. */
function core() {
  const { terminal } = implement(rpcContract)
  const did: string[] = []
  const naming = Promise.withResolvers<void>()
  const over = Promise.withResolvers<void>()
  const router = {
    open: terminal.open.handler(async () => {
      await naming.promise
      return { id: 't-1' }
    }),
    attach: terminal.attach.handler(async function* () {
      yield { type: 'ready' as const, sessionId: 'ses_1' }
      await over.promise
      yield { type: 'annotation' as const, at: '2026-11-30T09:00:00.000Z', annotation: ended }
      yield { type: 'exit' as const, code: 0 }
    }),
    write: terminal.write.handler(({ input }) => void did.push(input.data)),
    resize: terminal.resize.handler(({ input }) => void did.push(`${input.cols}x${input.rows}`)),
    close: terminal.close.handler(() => undefined),
  }
  return { did, named: naming.resolve, end: over.resolve, client: { terminal: createRouterClient(router) } }
}

test('what is typed while a terminal connects is sent in order, and so is its size; after the end nothing is kept', async () => {
  const { client, did, named, end } = core()
  const runtime = createTerminalRuntime(client, 'web-1')
  runtime.write('before there is a screen')
  runtime.start(screen, 80, 24)
  for (const key of ['l', 's']) runtime.write(key)
  runtime.resize(120, 40)
  runtime.write('\r')
  expect(did).toEqual([])
  named()
  await expect.poll(() => did.length).toBe(5)
  expect(did).toEqual(['before there is a screen', 'l', 's', '120x40', '\r'])
  end()
  await expect.poll(() => runtime.state.get().phase.state).toBe('ended')
  runtime.write('lost')
  // Its recording can be looked at, and what was said last is of it.
  expect(runtime.state.get().sessionId).toBe('ses_1')
  expect(saidNow(runtime.state.get()).map(({ annotation }) => annotation)).toEqual([ended])
  const again = () => {
    runtime.start(screen, 80, 24)
    return runtime.state.get().sessionId
  }
  await expect.poll(again).toBeUndefined()
  // The next session is another: nothing was said in it, and who ended the last one did not end it.
  expect(runtime.state.get()).toMatchObject({ said: [{ annotation: ended }], sessionId: undefined })
  expect(saidNow(runtime.state.get())).toEqual([])
  await expect.poll(() => runtime.state.get().phase.state).toBe('ended')
  expect(did).toHaveLength(5)
})
