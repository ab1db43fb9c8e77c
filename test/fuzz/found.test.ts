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

  it('a text is read whatever was sent before it, and however soon', async () => {
    // Each overflows the parser, and there are only so many of it.
    const deep = `select 1${'+1'.repeat(15_000)}`
    const controls = "select '\\\x1f'"
    const input = talk([deep, deep, deep, controls, controls, controls, 'select 2'].map((text) => say.query(text)))
    expect(await problemsOf(input)).toEqual([])
    const { toTarget, toClient } = await run(ground, input, 'whole', new Random(1))
    expect(toTarget.includes(say.query('select 2'))).toBe(true)
    expect(toClient.includes('parser restarts')).toBe(false)
  })

  it('a target that takes several statements for a prepared one runs none of them', async () => {
    const several = 'select id, ssn from customers where id = 1; select 2'
    const input = talk([say.parse('a', several), say.bind('', 'a'), say.execute(''), say.sync])
    expect(await problemsOf(input)).toEqual([])
    const { toClient, toTarget } = await run(ground, input, 'whole', new Random(1))
    expect(toClient.includes('cannot insert multiple commands into a prepared statement')).toBe(true)
    expect(toTarget.includes(say.execute(''))).toBe(false)
  })

  it('the model of a target describes nothing that it has not seen described', async () => {
    const own = 'SHOW search_path'
    expect(await problemsOf(talk([say.parse('a', own), say.bind('', 'a'), say.execute('')]))).toEqual([])
  })

  it('a search_path that is none is the target’s fault, and said so', async () => {
    const value = Buffer.from('"open')
    const bytes = frame('D', Buffer.concat([Buffer.from([0, 1, 0, 0, 0, value.length]), value]))
    const input = await tampering([say.query('select 1 + 1')], 'D', 0, { how: 'replace', bytes })
    expect(await problemsOf(input)).toEqual([])
    const { reason, toTarget } = await run(ground, input, 'whole', new Random(1))
    expect(reason).toBe('The session ends: the target says a search_path that is none')
    expect(toTarget.includes('select 1 + 1')).toBe(false)
  })

  it('masked rows that came before a message that is none are the client’s', async () => {
    const query = say.query('select id, email, born, balance from customers where id in (1, 2, 3)')
    const input = await tampering([query], 'D', -1, { how: 'before', bytes: frame('d', Buffer.from('x')) })
    expect(await problemsOf(input)).toEqual([])
    const { toClient } = await run(ground, input, 'whole', new Random(1))
    expect(framesOf(toClient)?.frames.filter(({ type }) => type === 'D').length).toBe(2)
  })

  it('and so they are when it has the looks of one more row', async () => {
    const query = say.query('select id, email, born, balance from customers where id in (1, 2, 3)')
    const input = await tampering([query], 'D', -1, { how: 'replace', bytes: Buffer.from([0x44, 0, 0, 0, 3, 0, 4]) })
    expect(await problemsOf(input)).toEqual([])
    const { toClient, reason } = await run(ground, input, 'whole', new Random(1))
    expect(framesOf(toClient)?.frames.filter(({ type }) => type === 'D').length).toBe(2)
    expect(reason).toContain('a message of length 3')
  })

  it.each(['D', 'd'])(
    'a long %s that nobody asked for ends the session in the same words, however it comes',
    async (type) => {
      // By the first of them what names mean is known.
      const bind = frame('B', Buffer.from([0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0x37, 0, 0]))
      const client = [say.query('selec 1'), say.parse('', 'select ssn, born, id from customers where id = $1'), bind]
      const input = await tampering(client, '2', -1, { how: 'replace', bytes: frame(type, Buffer.alloc(140_000)) })
      for (const seed of [1, 2, 3, 4]) expect((await examine(ground, input, new Random(seed))).problems).toEqual([])
      const { reason } = await run(ground, input, 'whole', new Random(1))
      expect(reason).toContain('that nobody asked for')
    },
  )

  it('data for COPY that comes in pieces is forwarded to its end, also when the target begins to skip meanwhile', async () => {
    const [data, question] = [say.copyData('2\ttwo\n'), say.query('select 2')]
    const input = talk([say.bindTo('', 'missing'), data.subarray(0, 8), data.subarray(8), say.sync, question])
    // The first half is on its way before the target's error is heard.
    const pieces = input.pieces.map((one, i) => ({ ...one, joined: i < 3 }))
    expect(await problemsOf({ ...input, pieces })).toEqual([])
    const { toTarget } = await run(ground, { ...input, pieces }, 'whole', new Random(1))
    expect(framesOf(toTarget.subarray(toTarget.indexOf('P')))?.frames.some(({ bytes }) => bytes.equals(question))).toBe(
      true,
    )
  })

  it('a statement that was approved when the target had begun to skip is not sent, and the record says so', async () => {
    const update = say.query("update inbox set body = 'three' where id = 1")
    const input = talk([say.parse('', 'select 1 + 1'), say.close('P', 'p'), say.execute(''), update])
    expect(await problemsOf(input)).toEqual([])
    const { events, toTarget } = await run(ground, input, 'whole', new Random(1))
    expect(toTarget.includes('update inbox')).toBe(false)
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'complete', ok: false, error: expect.stringContaining('skipped') }),
    )
  })

  it('what the target would lose to COPY is lost on this side as well', async () => {
    const input = talk([
      say.parse('s', 'select ssn from customers order by id'),
      say.sync,
      say.query('copy inbox from stdin'),
      say.parse('s', 'select 1'),
      say.bindTo('', 's'),
      say.execute(''),
      say.sync,
    ])
    expect(await problemsOf(input)).toEqual([])
    const { toTarget } = await run(ground, input, 'whole', new Random(1))
    expect(toTarget.includes('select 1\0')).toBe(false)
  })

  it('a client whose long messages wait for two things is read from again when both came', async () => {
    const long = 'c'.repeat(65_540)
    const first = [say.bindTo('p', 's')]
    const second = [say.copyData('3\tthree\n'), say.sync, say.parse('a', 'select 1'), say.bindTo('', 'a')]
    second.push(say.query(long), say.execute(''), say.parse('b', `sel${long}`))
    const third = [say.describe('S', 'by_id'), say.sync]
    const input = talk([...first, ...second, ...third])
    const begins = [1 + first.length, 1 + first.length + second.length]
    const pieces = input.pieces.map((one, i) => ({ ...one, joined: !begins.includes(i) }))
    expect(await problemsOf({ ...input, pieces })).toEqual([])
  })
})
