import { createHmac, pbkdf2Sync } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { createCancelRegistry } from '../../agent/inspect/postgres/cancels.ts'
import type { TargetCatalog } from '../../agent/inspect/postgres/catalog/catalog.ts'
import { type MemorySession, memorySession, memoryTarget, quiet } from '../../agent/inspect/postgres/testing/memory.ts'
import { say } from '../../agent/inspect/postgres/testing/wire.ts'
import { prepare } from './ground.ts'
import { ModelTarget } from './model.ts'
import type { Ground } from './run.ts'
import { FuzzPort } from './watch.ts'
import { frame, framesOf, textAt } from './wire.ts'

/** A target that means harm, and what its clients, other sessions and our memory see of it. */
let ground: Ground

beforeAll(async () => {
  ground = (await prepare()).ground
})

interface Sitting {
  session: MemorySession
  port: FuzzPort
  heard(): string
  /** The same, as bytes. */
  bytes(): Buffer
  said(): Buffer
  /** What came over connections that cancel. */
  cancels: Buffer[]
  target(...frames: Buffer[]): Promise<void>
}

/** A session whose target was dialled, and has said nothing yet. */
async function dialled(cancels = createCancelRegistry(), changes: Partial<TargetCatalog> = {}): Promise<Sitting> {
  const port = new FuzzPort()
  const toClient: Buffer[] = []
  const toTarget: Buffer[] = []
  const cancelled: Buffer[] = []
  const session = memorySession({
    port,
    catalog: ground.corpus.catalog,
    cancels,
    changes,
    toClient: (chunk) => toClient.push(chunk),
    toTarget: (chunk) => toTarget.push(chunk),
    toCancel: (chunk) => cancelled.push(chunk),
  })
  session.client.say(say.startup)
  await quiet()
  return {
    session,
    port,
    heard: () => Buffer.concat(toClient).toString('utf8'),
    bytes: () => Buffer.concat(toClient),
    said: () => Buffer.concat(toTarget),
    cancels: cancelled,
    target: async (...frames) => {
      for (const one of frames) session.target?.say(one)
      await quiet()
    },
  }
}

/** As `dialled`, signed in, with an honest target up to here. */
async function signedIn(cancels = createCancelRegistry(), changes: Partial<TargetCatalog> = {}): Promise<Sitting> {
  const sitting = await dialled(cancels, changes)
  const model = new ModelTarget(ground.learned, () => {})
  model.hear(sitting.said())
  await sitting.target(...model.take())
  return sitting
}

/** Signed in, asked `client`, and everything up to the answer to the last of it was given. */
async function asked(
  client: readonly Buffer[],
  changes: Partial<TargetCatalog> = {},
): Promise<{ sitting: Sitting; answers: Buffer[] }> {
  const sitting = await signedIn(createCancelRegistry(), changes)
  const model = new ModelTarget(ground.learned, () => {})
  model.hear(sitting.said())
  model.take()
  let from = sitting.said().length
  const next = (): Buffer[] => {
    model.hear(sitting.said().subarray(from))
    from = sitting.said().length
    return model.take()
  }
  sitting.session.client.say(Buffer.concat(client))
  for (;;) {
    await quiet()
    const answers = next()
    // The inspector's own questions come first.
    const own = answers.some((one) => one.includes('"$user"'))
    if (!own) return { sitting, answers }
    await sitting.target(...answers)
  }
}

const int32 = (value: number): Buffer => {
  const out = Buffer.alloc(4)
  out.writeInt32BE(value)
  return out
}
/** Only the header of a message that is said to be this long. */
const claim = (type: string, length: number): Buffer => Buffer.concat([Buffer.from(type), int32(length)])
const auth = (kind: number, body = Buffer.alloc(0)): Buffer => frame('R', Buffer.concat([int32(kind), body]))
const ok = auth(0)
const sasl = auth(10, Buffer.from('SCRAM-SHA-256\0\0'))
const ready = frame('Z', Buffer.from('I'))
const key = frame('K', Buffer.concat([int32(7), Buffer.from([1, 2, 3, 4])]))
const status = (name: string, value: string): Buffer => frame('S', Buffer.from(`${name}\0${value}\0`))
const notice = (...fields: string[]): Buffer => frame('N', Buffer.from(`${fields.join('\0')}\0\0`))

/** The nonce that the client began with. */
function nonceOf({ said }: Sitting): string {
  const start = said().readInt32BE(0)
  const [first] = framesOf(said().subarray(start))?.frames ?? []
  if (first === undefined) throw new Error('the client did not begin')
  return /r=(.+)$/.exec(first.bytes.toString('latin1'))?.[1] ?? ''
}

async function ended({ session, port, heard }: Sitting, words: RegExp): Promise<void> {
  const end = await session.done
  expect(end.reason).toMatch(words)
  expect(heard()).toMatch(/SFATAL\0VFATAL\0C[0-9A-Z]{5}\0M/)
  expect(port.events.at(-1)).toMatchObject({ type: 'end', reason: end.reason })
  expect(session.target?.destroyed).toBe(true)
}

describe('a hostile target, before it let us in', () => {
  const longNotice = notice('SNOTICE', `M${'x'.repeat(1000)}`)
  it.each<[string, Buffer[], RegExp]>([
    ['claims a message of 2 GiB', [claim('R', 0x7fffffff)], /sign-in message of 2147483648 bytes/],
    ['claims a message of a negative length', [claim('R', -1)], /length -1/],
    ['lets us in twice', [ok, ok], /ended twice/],
    ['lets us in without proving that it knows the password', [sasl, ok], /without proving/],
    ['ends SCRAM before it began', [sasl, auth(12, Buffer.from('v=AAAA'))], /out of order/],
    ['begins SCRAM anew for ever', [sasl, sasl], /out of order/],
    ['asks for a password in the middle of SCRAM', [sasl, auth(3)], /out of order/],
    ['asks for what nobody speaks', [auth(7)], /not spoken here/],
    ['offers mechanisms without end', [auth(10, Buffer.from('X'.repeat(1000)))], /without its end/],
    ['sends notices without end', Array.from({ length: 1200 }, () => notice('SNOTICE', 'Mhello')), /without end/],
    ['sends long notices without end', Array.from({ length: 1200 }, () => longNotice), /without end|more than/],
    [
      'sends settings without end',
      [ok, ...Array.from({ length: 1200 }, (_, i) => status(`s${i}`, 'x'))],
      /without end/,
    ],
    [
      'sends long settings',
      [ok, ...Array.from({ length: 12 }, (_, i) => status(`s${i}`, 'x'.repeat(200_000)))],
      /more than/,
    ],
    ['gives two cancel keys', [ok, key, key, ready], /cancel key/],
    ['gives a cancel key that is none', [ok, frame('K', Buffer.alloc(5)), ready], /ends too early|cancel key/],
    ['says more than it was asked', [ok, key, Buffer.concat([ready, notice('SNOTICE', 'Mx')])], /nobody asked for/],
    ['sends rows before anything was asked', [ok, frame('D', Buffer.from([0, 0]))], /no place in sign-in/],
    ['sends settings before it let us in', [status('server_version', '15')], /no place before sign-in/],
  ])('%s', async (_name, frames, words) => {
    const sitting = await dialled()
    await sitting.target(...frames)
    await ended(sitting, words)
  })

  it.each<[string, (nonce: string) => string, RegExp]>([
    ['with a nonce of its own', () => 'r=other,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096', /nonce/],
    ['with the client’s nonce alone', (nonce) => `r=${nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`, /nonce/],
    ['that would take for ever', (nonce) => `r=${nonce}x,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=2147483647`, /iterations/],
    ['that hides nothing', (nonce) => `r=${nonce}x,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=1`, /iterations/],
    [
      'with an extension that is not known',
      (nonce) => `m=x,r=${nonce}x,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`,
      /malformed/,
    ],
    ['without salt', (nonce) => `r=${nonce}x,s=,i=4096`, /malformed/],
    [
      'that is longer than any',
      (nonce) => `r=${nonce}${'x'.repeat(300_000)},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`,
      /sign-in message/,
    ],
  ])('begins SCRAM %s', async (_name, challenge, words) => {
    const sitting = await dialled()
    await sitting.target(sasl)
    await sitting.target(auth(11, Buffer.from(challenge(nonceOf(sitting)))))
    await ended(sitting, words)
  })

  it.each([
    ['with a signature of another password', signature('other'), /could not prove/],
    ['without a signature', () => '', /could not prove/],
    ['with a signature that is too short', () => 'v=AAAA', /could not prove/],
    ['with its own error', () => 'e=other-error', /refused the sign-in \(other-error\)/],
  ])('ends SCRAM %s', async (_name, final, words) => {
    const sitting = await dialled()
    await sitting.target(sasl)
    const nonce = nonceOf(sitting)
    const challenge = `r=${nonce}x,s=${salt},i=4096`
    const before = sitting.said().length
    await sitting.target(auth(11, Buffer.from(challenge)))
    await expect.poll(() => sitting.said().length).toBeGreaterThan(before)
    const words2 = final(nonce, challenge)
    await sitting.target(auth(12, Buffer.from(words2)), ok, key, ready)
    await ended(sitting, words)
  })

  it('that knows the password is let in, so that the others fail for what they do', async () => {
    const sitting = await dialled()
    await sitting.target(sasl)
    const nonce = nonceOf(sitting)
    const challenge = `r=${nonce}x,s=${salt},i=4096`
    const before = sitting.said().length
    await sitting.target(auth(11, Buffer.from(challenge)))
    await expect.poll(() => sitting.said().length).toBeGreaterThan(before)
    await sitting.target(auth(12, Buffer.from(signature(memoryTarget.password)(nonce, challenge))), ok, key, ready)
    expect(sitting.heard()).toMatch(/Z.{4}I$/s)
  })

  it('floods us while a password is derived', async () => {
    const sitting = await dialled()
    await sitting.target(sasl)
    const challenge = auth(11, Buffer.from(`r=${nonceOf(sitting)}x,s=${salt},i=900000`))
    await sitting.target(challenge, ...Array.from({ length: 40 }, () => Buffer.alloc(64 * 1024, 'N')))
    await ended(sitting, /more than/)
  })
})

const salt = 'W22ZaJ0SNY7soEsUEjb6gQ=='

/** What a server that knows `password` ends SCRAM with. */
function signature(password: string): (nonce: string, challenge: string) => string {
  return (nonce, challenge) => {
    const salted = pbkdf2Sync(password, Buffer.from(salt, 'base64'), 4096, 32, 'sha256')
    const authMessage = `n=,r=${nonce},${challenge},c=biws,r=${nonce}x`
    const serverKey = createHmac('sha256', salted).update('Server Key').digest()
    return `v=${createHmac('sha256', serverKey).update(authMessage).digest('base64')}`
  }
}

describe('a hostile target, while nothing is asked', () => {
  it.each<[string, Buffer[], RegExp]>([
    ['claims an error of 2 GiB', [claim('E', 0x7fffffff)], /message of 2147483648 bytes/],
    ['claims a setting of 17 MiB', [claim('S', 17 << 20)], /message of/],
    ['claims a row of 2 GiB', [claim('D', 0x7fffffff)], /nobody asked/],
    ['claims COPY data of 2 GiB', [claim('d', 0x7fffffff)], /nobody asked/],
    ['claims a length that does not count itself', [claim('N', 3)], /length 3/],
    ['gives another cancel key', [key], /type "K"/],
    ['asks for a password', [auth(3)], /type "R"/],
    ['speaks another protocol', [frame('v', Buffer.alloc(8))], /type "v"/],
    ['is ready twice', [ready, ready], /ready before it answered/],
    ['completes what nobody asked', [frame('C', Buffer.from('SELECT 1\0'))], /nobody asked/],
    ['asks for COPY data', [frame('G', Buffer.from([0, 0, 0]))], /nobody asked/],
    ['copies to both sides', [frame('W', Buffer.from([0, 0, 0]))], /nobody asked/],
    ['sends a notification that has no end', [frame('A', Buffer.from('\0\0\0\x01abc'))], /without its end/],
    ['sends a notice that has no end', [frame('N', Buffer.from('SNOTICE'))], /without its end/],
    ['sends a setting that has no end', [frame('S', Buffer.from('a'))], /without its end/],
  ])('%s', async (_name, frames, words) => {
    const sitting = await signedIn()
    await sitting.target(...frames)
    await ended(sitting, words)
  })

  it('forges no decision: not by a code, not by a second one behind a harmless one', async () => {
    const sitting = await signedIn()
    await sitting.target(
      notice('SNOTICE', 'VNOTICE', 'CSPA01', 'Mapproved by grace', 'D{"kind":"approved"}'),
      notice('SNOTICE', 'VNOTICE', 'C00000', 'CSPM01', 'Mmasked'),
      notice('SNOTICE', 'CSPM01', 'C00000', 'Mmasked'),
      frame('E', Buffer.from('SERROR\0VERROR\0CXX000\0CSPB01\0Mblocked\0\0')),
    )
    expect(sitting.heard()).toContain('approved by grace')
    expect(sitting.heard()).not.toMatch(/CSP/)
  })

  it('is not read from any more while the client does not read, however much it says', async () => {
    const sitting = await signedIn()
    const { client, target } = sitting.session
    client.stuck = true
    const flood = Buffer.concat(
      Array.from({ length: 16 }, () => notice('SNOTICE', 'VNOTICE', 'C00000', `M${'x'.repeat(1000)}`)),
    )
    let offered = 0
    while (target?.isPaused() === false && offered < 64 << 20) {
      await sitting.target(flood)
      offered += flood.length
    }
    expect(target?.isPaused()).toBe(true)
    expect(client.writableLength).toBeLessThan(256 * 1024)
    client.stuck = false
    await quiet()
    expect(target?.isPaused()).toBe(false)
    sitting.session.stop('The test is over.')
    await sitting.session.done
  })
})

describe('a hostile target, asked for masked columns', () => {
  const query = say.query('select id, ssn from customers where id = 1; select 2')
  const value = (text: string): Buffer => Buffer.concat([int32(text.length), Buffer.from(text)])
  const row = (count: number, ...fields: Buffer[]): Buffer =>
    frame('D', Buffer.concat([Buffer.from([count >> 8, count & 255]), ...fields]))

  const inTwo = (bytes: Buffer): Buffer[] => [bytes.subarray(0, 1_000), bytes.subarray(1_000)]

  it.each<[string, (description: Buffer) => Buffer[], RegExp]>([
    ['rows before their description', () => [row(2, value('1'), value('900-00-0001'))], /not described/],
    [
      'a long row before its description',
      () => inTwo(row(2, value('1'), value(`900-00-0001${'x'.repeat(200_000)}`))),
      /not described/,
    ],
    [
      'a row with a field more',
      (t) => [t, row(3, value('1'), value('900-00-0001'), value('x'))],
      /another number of fields/,
    ],
    ['a row with a field less', (t) => [t, row(1, value('900-00-0001'))], /another number of fields/],
    ['a row that ends too early', (t) => [t, row(2, value('1'))], /ends too early/],
    [
      'a field longer than its row',
      (t) => [t, row(2, value('1'), int32(1000), Buffer.from('900-00-0001'))],
      /longer than its row/,
    ],
    ['a row of 65 MiB', (t) => [t, claim('D', 65 << 20)], /too long to be masked/],
    [
      'another number of columns',
      (t) => [frame('T', Buffer.concat([Buffer.from([0, 1]), t.subarray(7, 7 + 21)]))],
      /describes|columns/,
    ],
    [
      '65,535 columns in few bytes',
      (t) => [frame('T', Buffer.concat([Buffer.from([255, 255]), t.subarray(7)]))],
      /too early|without its end/,
    ],
    [
      'a description with bytes behind it',
      (t) => [frame('T', Buffer.concat([t.subarray(5), Buffer.from('more')]))],
      /left over/,
    ],
    ['the columns the other way round', (t) => [swapped(t)], /describes/],
    ['COPY data', (t) => [t, frame('d', Buffer.from('900-00-0001\n'))], /nobody asked/],
    ['COPY', (t) => [t, frame('H', Buffer.from([0, 0, 1, 0, 0])), frame('d', Buffer.from('900-00-0001\n'))], /COPY/],
    [
      'more results than statements',
      (t) => [t, complete, t, complete, t, complete],
      /more statements|nobody asked|describes/,
    ],
    ['less results than statements', (t) => [t, complete, ready], /unanswered/],
    [
      'a second message in a field’s length',
      (t) => [t, row(2, value('1'), int32(-2), row(2, value('2'), value('900-00-0001')))],
      /./,
    ],
  ])('answers with %s, and no value goes through', async (_name, make, words) => {
    const { sitting, answers } = await asked([query])
    const description = answers.find((one) => one[0] === 0x54)
    if (description === undefined) throw new Error('no description was recorded')
    await sitting.target(...make(description))
    // Where it is not noticed by itself, the session is ended to look at what came through.
    sitting.session.stop('The test is over.')
    const { reason } = await sitting.session.done
    expect(reason).toMatch(words)
    expect(sitting.heard()).not.toContain('900-00-0001')
  })

  const complete = frame('C', Buffer.from('SELECT 1\0'))
})

/** A RowDescription of two columns, the second first. */
function swapped(description: Buffer): Buffer {
  const first = textAt({ type: 'T', bytes: description }, 7).next + 18
  const [a, b] = [description.subarray(7, first), description.subarray(first)]
  return frame('T', Buffer.concat([Buffer.from([0, 2]), b, a]))
}

describe('cancel keys', () => {
  const request = (processId: number, secret: Buffer): Buffer =>
    Buffer.concat([int32(12 + secret.length), int32(80877102), int32(processId), secret])

  function keyOf({ bytes }: Sitting): { processId: number; secret: Buffer } {
    const found = framesOf(bytes())?.frames.find(({ type }) => type === 'K')
    if (found === undefined) throw new Error('no key was given')
    return { processId: found.bytes.readInt32BE(5), secret: found.bytes.subarray(9) }
  }

  it('hit their own session and no other, also when the target gives all the same', async () => {
    const cancels = createCancelRegistry()
    const sittings = [await signedIn(cancels), await signedIn(cancels)]
    const [first, second] = sittings.map(keyOf)
    if (first === undefined || second === undefined) throw new Error('no keys')
    expect(first).not.toEqual(second)
    const ask = async (bytes: Buffer): Promise<void> => {
      const session = memorySession({
        port: new FuzzPort(),
        catalog: ground.corpus.catalog,
        cancels,
        toClient: () => {},
        toTarget: () => {},
      })
      session.client.say(bytes)
      await session.done
      await quiet()
    }
    const reached = () => sittings.map((one) => one.cancels.length)
    // The process is the target's, as its own answers name it.
    expect([first.processId, second.processId]).toEqual([7, 7])
    // The target's own key, which no client knows; keys that are nobody's; one that is too short.
    await ask(request(7, Buffer.from([1, 2, 3, 4])))
    await ask(request(8, first.secret))
    await ask(request(8, second.secret))
    await ask(request(first.processId, first.secret.subarray(0, 1)))
    expect(reached()).toEqual([0, 0])
    await ask(request(first.processId, first.secret))
    expect(reached()).toEqual([1, 0])
    expect(sittings[0]?.cancels[0]).toEqual(request(7, Buffer.from([1, 2, 3, 4])))
    await ask(request(second.processId, second.secret))
    expect(reached()).toEqual([1, 1])
    sittings[0]?.session.stop('The test is over.')
    await sittings[0]?.session.done
    // Its key is nobody's now.
    await ask(request(first.processId, first.secret))
    expect(reached()).toEqual([1, 1])
    sittings[1]?.session.stop('The test is over.')
    await sittings[1]?.session.done
  })
})

describe('definitions that changed while a statement was answered', () => {
  /** Two results, the first of many rows. What is read again is there once `known` says so. */
  async function overtaken() {
    const known = Promise.withResolvers<void>()
    let outdated = false
    const { catalog } = ground.corpus
    const { sitting, answers } = await asked([say.query('select id, ssn from customers where id = 1; select 2')], {
      get outdated() {
        return outdated
      },
      outdatedBut: () => outdated,
      refresh: () =>
        known.promise.then(() => {
          outdated = false
          return catalog
        }),
    })
    outdated = true
    const all = framesOf(Buffer.concat(answers))?.frames.map(({ bytes }) => bytes) ?? []
    const [described, row, ...rest] = all
    if (described?.[0] !== 0x54 || row?.[0] !== 0x44) throw new Error('the model answers otherwise')
    const many = Array.from({ length: 9_000 }, () => row)
    return {
      sitting,
      known,
      first: Buffer.concat([described, ...many]),
      many: Buffer.concat(many),
      end: Buffer.concat(rest),
    }
  }

  it('nothing of its result is said before they are known, and then all of it, however slowly the client reads', async () => {
    const { sitting, known, first, many, end } = await overtaken()
    const { client, target } = sitting.session
    const before = sitting.bytes().length
    client.stuck = true
    await sitting.target(first)
    expect(sitting.bytes().length).toBe(before)
    expect(target?.isPaused()).toBe(true)
    known.resolve()
    await quiet()
    expect(target?.isPaused()).toBe(true)
    client.stuck = false
    await quiet()
    expect(target?.isPaused()).toBe(false)
    await sitting.target(many, end)
    const rows = framesOf(sitting.bytes().subarray(before))?.frames.filter(({ bytes }) => bytes[0] === 0x44) ?? []
    expect(rows).toHaveLength(18_001)
    sitting.session.stop('The test is over.')
    await sitting.session.done
  })

  it('no more is read from the target meanwhile, also where the client takes what came before', async () => {
    const { sitting, known, first, end } = await overtaken()
    const { client, target } = sitting.session
    client.stuck = true
    const said = notice('SNOTICE', 'VNOTICE', 'C00000', `M${'x'.repeat(100_000)}`)
    await sitting.target(Buffer.concat([said, first]))
    client.stuck = false
    await quiet()
    expect(target?.isPaused()).toBe(true)
    known.resolve()
    await quiet()
    expect(target?.isPaused()).toBe(false)
    await sitting.target(end)
    sitting.session.stop('The test is over.')
    await sitting.session.done
  })

  it('a target that leaves meanwhile is heard to its last word', async () => {
    const { sitting, known, first, end } = await overtaken()
    const before = sitting.bytes().length
    await sitting.target(Buffer.concat([first, end]))
    sitting.session.target?.finish()
    await quiet()
    expect(sitting.session.end).toBeUndefined()
    known.resolve()
    expect((await sitting.session.done).reason).toMatch(/closed the connection/)
    const rows = framesOf(sitting.bytes().subarray(before))?.frames.filter(({ bytes }) => bytes[0] === 0x44) ?? []
    expect(rows).toHaveLength(9_001)
  })
})
