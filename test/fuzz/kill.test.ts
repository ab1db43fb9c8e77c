import { beforeAll, describe, expect, it } from 'vitest'
import { ask } from '../../agent/inspect/postgres/testing/asking.ts'
import { memorySession, quiet } from '../../agent/inspect/postgres/testing/memory.ts'
import { say } from '../../agent/inspect/postgres/testing/wire.ts'
import type { SessionEnd } from '../../shared/link.ts'
import { prepare } from './ground.ts'
import { ModelTarget } from './model.ts'
import type { Ground } from './run.ts'
import { FuzzPort } from './watch.ts'
import { type Frame, framesOf } from './wire.ts'

/** Each leg of a session is cut before every single message, of either side, that it would have taken. */
let ground: Ground

beforeAll(async () => {
  ground = (await prepare()).ground
})

type Victim = 'target' | 'client' | 'gateway'

interface Outcome {
  /** Messages that were delivered before the cut; undefined: the conversation came to its end. */
  cut: number | undefined
  heard: readonly Frame[]
  port: FuzzPort
  /** Texts that ran, with the requests that were on the recording by then. */
  ran: readonly { text: string; recorded: readonly string[] }[]
  /** What reached the target after the cut. */
  after: string
  end: SessionEnd
}

/** One conversation, message by message, until `at` of them were delivered. */
async function converse(client: readonly Buffer[], victim: Victim, at: number): Promise<Outcome> {
  const port = new FuzzPort()
  const heard: Buffer[] = []
  const ran: { text: string; recorded: readonly string[] }[] = []
  const after: Buffer[] = []
  let cut: number | undefined
  const model = new ModelTarget(ground.learned, (text) => {
    ran.push({ text, recorded: port.admitted.map((one) => one.text.split('\n-- $1 = ')[0] ?? '') })
  })
  const session = memorySession({
    port,
    catalog: ground.corpus.catalog,
    toClient: (chunk) => heard.push(chunk),
    toTarget: (chunk) => {
      if (cut !== undefined) after.push(chunk)
      model.hear(chunk)
    },
  })
  let delivered = 0
  const cutNow = (): boolean => {
    if (cut !== undefined || delivered++ < at) return cut !== undefined
    cut = at
    if (victim === 'client') session.client.kill()
    else if (victim === 'target') session.target?.kill()
    else session.stop('The gateway is gone.')
    return true
  }
  const answered = async (): Promise<void> => {
    for (;;) {
      await quiet()
      // While it is held, and after it was decided.
      if (port.holds.length > port.decided && cutNow()) return
      const decided = port.decideHeld()
      const answers = model.take()
      if (!decided && answers.length === 0) return
      for (const one of answers) {
        if (cutNow()) return
        session.target?.say(one)
        await quiet()
      }
    }
  }
  for (const bytes of [say.startup, ...client, say.terminate]) {
    if (cutNow()) break
    session.client.say(bytes)
    await answered()
    if (cut !== undefined) break
  }
  if (cut === undefined) session.target?.finish()
  else {
    // A decision that comes too late changes nothing.
    await quiet()
    port.decideHeld()
    await quiet()
    // Nobody dialled yet: whoever comes too late must not keep the session.
    if (victim === 'target' && session.target === undefined) session.stop('There was no target to kill.')
  }
  const end = await session.done
  await quiet()
  return {
    cut,
    heard: framesOf(Buffer.concat(heard))?.frames ?? [],
    port,
    ran,
    after: Buffer.concat(after).toString('latin1'),
    end,
  }
}

const conversations: Readonly<Record<string, readonly Buffer[]>> = {
  simple: [
    say.query('select id, ssn from customers where id = 1; select 2'),
    say.query("insert into inbox values (1, 'one'), (2, 'two')"),
  ],
  extended: [...ask.described('select ssn, born, id from customers where id = $1', '7'), say.sync],
  pipelined: [
    ...ask.named('a', 'select 1'),
    ...ask.run('delete from orders'),
    say.sync,
    ...ask.run('insert into inbox values ($1, $2)', '5', 'five'),
    ...ask.again('', '6', 'six'),
    say.sync,
  ],
  'COPY in': [...ask.copyIn('copy inbox from stdin', '1\tone\n', '2\ttwo\n')],
  'COPY in, extended': [...ask.copyInExtended('copy inbox from stdin', '3\tthree\n')],
  'COPY out': [say.query('copy (select id, email from customers order by id limit 2) to stdout')],
  held: [
    say.query("update inbox set body = 'three' where id = 1"),
    say.query("update inbox set body = 'three' where id = 1"),
  ],
  cursor: [
    say.query('begin; declare c cursor for select ssn from customers order by id'),
    say.query('fetch 2 from c'),
    say.query('close c'),
    say.query('commit'),
  ],
}

const victims: readonly Victim[] = ['target', 'client', 'gateway']

for (const victim of victims) {
  describe(`the ${victim} is killed`, () => {
    it.each(Object.keys(conversations))('at every message of: %s', async (name) => {
      const client = conversations[name] ?? []
      let at = 0
      for (; ; at++) {
        const outcome = await converse(client, victim, at)
        if (outcome.cut === undefined) break
        check(outcome, victim, `${name}, ${victim} killed at message ${at}`)
      }
      // Every message of both sides, the sign-in's among them.
      expect(at).toBeGreaterThan(client.length + 15)
    })
  })
}

function check({ heard, port, ran, after, end, cut }: Outcome, victim: Victim, where: string): void {
  for (const { text, recorded } of ran) {
    if (/^SHOW |^sallyport|sallyport: refused/.test(text)) continue
    expect(
      recorded.some((one) => text.includes(one)),
      `${where}: ${text} ran without its event`,
    ).toBe(true)
  }
  // Nothing but goodbye: not what was waiting, and not what people agree to afterwards.
  expect(after.replace('X\0\0\0\x04', ''), where).toBe('')
  expect(port.events.at(-1), where).toEqual(expect.objectContaining({ type: 'end', reason: end.reason }))
  expect(end.reason, where).toMatch(reasons[victim])
  if (victim === 'client' || cut === 0) return
  const last = heard.at(-1)
  expect(last?.type, where).toBe('E')
  expect(last?.bytes.toString(), where).toMatch(/SFATAL\0VFATAL\0C(SPE01|08006|08001)\0M[A-Z].+\./)
}

const reasons: Readonly<Record<Victim, RegExp>> = {
  target: /^The target (closed the connection|hung up during sign-in)|^There was no target|can't be reached/,
  client: /^The client left/,
  gateway: /^The gateway is gone/,
}
