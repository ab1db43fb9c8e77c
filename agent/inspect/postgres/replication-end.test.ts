import { expect, it } from 'vitest'
import { Snapshot } from './catalog/catalog.ts'
import { backend, cstring, int16, int32, message, messages } from './messages.ts'
import { loadParser } from './parser.ts'
import { writeStartup } from './start/startup.ts'
import { TestPort } from './testing/door.ts'
import { memorySession, quiet } from './testing/memory.ts'
import { hear, say } from './testing/wire.ts'

const ready = messages.readyForQuery(0x49)
const complete = (tag: string): Buffer => message(backend.commandComplete, cstring(tag))

/** The answer to SHOW. */
function shown(value: string): Buffer {
  const column = [cstring('setting'), int32(0), int16(0), int32(25), int16(-1), int32(-1), int16(0)]
  return Buffer.concat([
    message(backend.rowDescription, int16(1), ...column),
    message(backend.dataRow, int16(1), int32(value.length), Buffer.from(value)),
    complete('SHOW'),
    ready,
  ])
}

it('passes on what a stream still brings after its CopyDone', async () => {
  // Nothing after it waits for anything but the two sides.
  await loadParser()
  const port = new TestPort()
  port.annotations = 'text'
  port.masked = new Set()
  const heard: Buffer[] = []
  let asked: Buffer = Buffer.alloc(0)
  const session = memorySession({
    port,
    catalog: new Snapshot(1, 'orders', { own: { relations: [], functions: [] } }),
    toClient: (chunk) => heard.push(chunk),
    toTarget: (chunk) => {
      asked = Buffer.concat([asked, chunk])
    },
  })
  const data = (text: string): Buffer => message(backend.copyData, Buffer.from(text))
  const startup = [
    ['user', 'ada'],
    ['database', 'orders'],
    ['replication', 'database'],
  ] as const
  session.client.say(writeStartup(startup))
  await quiet()
  const key = message(backend.backendKeyData, int32(7), int32(8))
  session.target?.say(Buffer.concat([messages.authenticationOk, key, ready]))
  await quiet()
  asked = Buffer.alloc(0)
  session.client.say(say.query('START_REPLICATION SLOT s LOGICAL 0/0'))
  for (;;) {
    await quiet()
    const text = asked.toString('latin1')
    asked = Buffer.alloc(0)
    if (!text.includes('SHOW')) {
      expect(text).toContain('START_REPLICATION')
      break
    }
    for (const question of text.split('SHOW ').slice(1)) {
      session.target?.say(shown(question.startsWith('search_path') ? 'public' : 'none'))
    }
  }
  session.target?.say(Buffer.concat([message(backend.copyBothResponse, Buffer.from([0]), int16(0)), data('first')]))
  session.client.say(say.copyDone)
  await quiet()
  session.target?.say(Buffer.concat([message(backend.copyDone), data('the rest'), complete('COPY 0'), ready]))
  await quiet()
  const types = hear(Buffer.concat(heard))
    .map(({ type }) => type)
    .join('')
  expect(types.slice(types.indexOf('W'))).toBe('WdcdCZ')
  // Nothing of the kind comes once it is over.
  session.target?.say(data('more'))
  await session.done
  expect(session.end?.reason).toContain('what nobody asked')
})
