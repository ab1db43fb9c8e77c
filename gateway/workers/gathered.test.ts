import { expect, test } from 'vitest'
import { eachOf, gathered } from './gathered.ts'

const turn = (): Promise<void> => new Promise((done) => setImmediate(done))

test('messages of one turn go together, in order, and come apart again', async () => {
  const sent: (readonly unknown[])[] = []
  const post = gathered((messages) => sent.push(messages))
  post('a')
  await Promise.resolve()
  post('b')
  await turn()
  post('c')
  await turn()
  expect(sent).toEqual([['a', 'b'], ['c']])
  const taken: unknown[] = []
  for (const messages of [...sent, 'handover']) eachOf((message) => taken.push(message))(messages)
  expect(taken).toEqual(['a', 'b', 'c'])
})
