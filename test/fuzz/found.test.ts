import { beforeAll, describe, expect, it } from 'vitest'
import { say } from '../../agent/inspect/postgres/testing/wire.ts'
import { prepare } from './ground.ts'
import type { Input, Tamper } from './input.ts'
import { Random } from './random.ts'
import { examine, type Ground, run } from './run.ts'
import { frame, framesOf } from './wire.ts'

/** What the fuzzer found once, as the least that showed it. */
let ground: Ground

beforeAll(async () => {
  ground = (await prepare()).ground
})

function talk(client: readonly Buffer[], tampers: readonly Tamper[] = []): Input {
  return {
    live: true,
    tampers,
    pieces: [say.startup, ...client].map((bytes) => ({ from: 'client', bytes, joined: true })),
  }
}

/** `how` is done to the target's `nth` message of this type. */
async function tampering(
  client: readonly Buffer[],
  type: string,
  nth: number,
  tamper: Omit<Tamper, 'at'>,
): Promise<Input> {
  const { answers } = await run(ground, talk(client), 'whole', new Random(1))
  const found = answers.flatMap((one, at) => (one[0] === type.charCodeAt(0) ? [at] : []))
  return talk(client, [{ ...tamper, at: found.at(nth) ?? -1 }])
}

async function problemsOf(input: Input): Promise<readonly string[]> {
  return (await examine(ground, input, new Random(1))).problems
}

describe('found by the fuzzer', () => {
  it('nothing is forwarded after Terminate, whatever the client says behind it', async () => {
    expect(await problemsOf(talk([say.terminate, say.copyData('1\tone\n'), say.query('select 2')]))).toEqual([])
  })

  it('what came before a message that is none is forwarded, also when both come in one piece', async () => {
    const broken = Buffer.from([0x58, 0x80, 0, 0, 0])
    const input = talk([say.query('select id, ssn from customers where id = 1; select 2'), say.execute(''), broken])
    expect(await problemsOf(input)).toEqual([])
    const { toTarget, reason } = await run(ground, input, 'whole', new Random(1))
    expect(toTarget.includes(say.query('select id, ssn from customers where id = 1; select 2'))).toBe(true)
    expect(reason).toContain('a message of length')
  })

  it('a search_path that is none is the target’s fault, and said so', async () => {
    const value = Buffer.from('"open')
    const bytes = frame('D', Buffer.concat([Buffer.from([0, 1, 0, 0, 0, value.length]), value]))
    const input = await tampering([say.query('select 2')], 'D', 0, { how: 'replace', bytes })
    expect(await problemsOf(input)).toEqual([])
    const { reason, toTarget } = await run(ground, input, 'whole', new Random(1))
    expect(reason).toBe('The session ends: the target says a search_path that is none')
    expect(toTarget.includes('select 2')).toBe(false)
  })

  it('masked rows that came before a message that is none are the client’s', async () => {
    const query = say.query('select id, email, born, balance from customers where id in (1, 2, 3)')
    const input = await tampering([query], 'D', -1, { how: 'before', bytes: frame('d', Buffer.from('x')) })
    expect(await problemsOf(input)).toEqual([])
    const { toClient } = await run(ground, input, 'whole', new Random(1))
    expect(framesOf(toClient)?.frames.filter(({ type }) => type === 'D').length).toBe(2)
  })
})
