import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { neutralise, write } from '../../agent/inspect/postgres/annotations.ts'
import { FrameError } from '../../agent/inspect/postgres/frames.ts'
import { maskCopyRow } from '../../agent/inspect/postgres/mask/copy.ts'
import { RowMasker, Sheet } from '../../agent/inspect/postgres/mask/rows.ts'
import {
  firstValue,
  readBind,
  readExecute,
  readFields,
  readNamed,
  readParameterStatus,
  readParse,
  readRowDescription,
  rowsOf,
} from '../../agent/inspect/postgres/messages.ts'
import { maskedNotification } from '../../agent/inspect/postgres/notification.ts'
import { withParameters } from '../../agent/inspect/postgres/parameters.ts'
import { readPacket, writeStartup } from '../../agent/inspect/postgres/start/startup.ts'
import { decodeConnection, encode, type Field, FrameError as SshFrameError } from '../../agent/inspect/ssh/frames.ts'
import { SftpWatch } from '../../agent/inspect/ssh/sftp.ts'
import { StartupError, takeStartup } from '../../gateway/native/startup.ts'
import { Annotation, isDecisionSqlstate, parseAnnotation } from '../../shared/annotation.ts'
import { loadCorpus } from './corpus.ts'
import { inputsOf } from './input.ts'
import { frame } from './wire.ts'

/** Readers of what peers send, each alone: they read it, or refuse it in their own words. */
const runs = { seed: 20_261_129, numRuns: 300 }

/** Bytes that look like something: recorded messages, cut, bent and put together again. */
const recorded = loadCorpus().conversations.flatMap((one) =>
  inputsOf(one).flatMap(({ pieces }) => pieces.map(({ bytes }) => bytes)),
)
const like = fc
  .tuple(
    fc.constantFrom(...recorded),
    fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 6 }),
    fc.option(fc.nat(), { nil: undefined }),
  )
  .map(([was, changes, cut]) => {
    const out = Buffer.from(was)
    for (const [at, byte] of changes) out[at % out.length] = byte
    return cut === undefined ? out : out.subarray(0, cut % (out.length + 1))
  })
const bytes = fc.oneof(
  like,
  fc.uint8Array({ maxLength: 60 }).map((raw) => Buffer.from(raw)),
)
/** A whole message, as readers get it. */
const whole = bytes.map((raw) => frame(String.fromCharCode((raw[0] ?? 0) & 0x7f), raw.subarray(5)))

function orRefuses(own: new (...args: never[]) => Error, act: () => unknown): void {
  try {
    act()
  } catch (error) {
    expect(error).toBeInstanceOf(own)
  }
}

describe('PostgreSQL', () => {
  const mask = { kind: 'value', mask: (value: string) => `***${value.slice(-4)}` } as const
  const readName = (buf: Buffer, start: number, end: number): string => buf.toString('latin1', start, end)
  const readers: Readonly<Record<string, (buf: Buffer) => unknown>> = {
    Parse: (buf) => readParse(buf, 0, buf.length, readName),
    Bind: (buf) =>
      withParameters('select 1', { buf, at: readBind(buf, 0, buf.length, readName).parametersAt, end: buf.length }),
    Describe: (buf) => readNamed(buf, 0, buf.length, readName),
    Execute: (buf) => readExecute(buf, 0, buf.length, readName),
    RowDescription: (buf) => readRowDescription(buf, 0, buf.length),
    fields: (buf) => readFields(buf, 0, buf.length),
    ParameterStatus: (buf) => readParameterStatus(buf, 0, buf.length),
    'the first value': (buf) => firstValue(buf, 0, buf.length),
    'the rows of a tag': (buf) => rowsOf(buf, 0, buf.length),
    notifications: (buf) => maskedNotification(buf, 0, buf.length, []),
    'masked rows': (buf) => new RowMasker([null, mask, { kind: 'null' }]).rows(buf, 0, buf.length, new Sheet(16)),
    'masked COPY rows': (buf) => maskCopyRow([null, mask], buf, 0, buf.length),
  }
  it.each(Object.entries(readers))('%s is read or refused', (_name, read) => {
    fc.assert(
      fc.property(whole, (buf) => orRefuses(FrameError, () => read(buf))),
      runs,
    )
  })

  it('an error or notice carries no decision of ours, however its fields stand', () => {
    const code = fc.constantFrom(
      'CSPB01',
      'C00000',
      'CSPM01',
      'Mwords',
      'D{"kind":"approved"}',
      'SERROR',
      'VFATAL',
      'X',
    )
    fc.assert(
      fc.property(fc.constantFrom('E', 'N'), fc.array(code, { maxLength: 8 }), fc.boolean(), (type, fields, scrub) => {
        const buf = frame(type, Buffer.from(`${fields.map((field) => `${field}\0`).join('')}\0`))
        const safe = neutralise(buf, 0, buf.length, scrub ? { redact: (text) => text } : undefined) ?? buf
        const codes = safe
          .toString('latin1', 5)
          .split('\0')
          .filter((field) => field.startsWith('C'))
        expect(codes.some((field) => isDecisionSqlstate(field.slice(1)))).toBe(false)
      }),
      runs,
    )
  })

  it('gateway and agent read the same from a start-up packet that both take', () => {
    const word = fc.constantFrom(
      'user',
      'ada',
      'database',
      'orders-db',
      'options',
      '-c a=b',
      '',
      'é',
      'replication',
      'user\0root',
    )
    const packet = fc.oneof(
      fc.array(fc.tuple(word, word), { maxLength: 5 }).map((pairs) => writeStartup(pairs)),
      fc.tuple(bytes, fc.constantFrom(196_608, 196_610, 131_072, 80_877_102, 80_877_103)).map(([rest, kind]) => {
        const head = Buffer.alloc(8)
        head.writeInt32BE(rest.length + 8)
        head.writeInt32BE(kind, 4)
        return Buffer.concat([head, rest])
      }),
      bytes,
    )
    fc.assert(
      fc.property(packet, (buf) => {
        let taken: ReturnType<typeof takeStartup>
        orRefuses(StartupError, () => {
          taken = takeStartup(buf)
        })
        let read: ReturnType<typeof readPacket>
        orRefuses(FrameError, () => {
          read = readPacket(buf)
        })
        if (taken?.packet.kind !== 'startup') return
        expect(read).toMatchObject(taken)
      }),
      runs,
    )
  })
})

describe('annotations', () => {
  it('are read as they were written, and anything else is none', () => {
    const policy = fc.record({ id: fc.string(), reason: fc.string() })
    const annotation = fc.oneof(
      fc.record({ kind: fc.constant('denied' as const), requestId: fc.string(), by: fc.string(), reason: fc.string() }),
      fc.record({
        kind: fc.constant('blocked' as const),
        policy,
        message: fc.string(),
        hint: fc.string(),
        requestable: fc.boolean(),
      }),
      fc.record({ kind: fc.constant('ended' as const), reason: fc.string() }),
    )
    fc.assert(
      fc.property(annotation, (one) => {
        const detail = JSON.stringify(one)
        const said = write({ severity: 'ERROR', sqlstate: 'SPD01', message: 'Denied.', detail })
        expect(parseAnnotation(readFields(said, 0, said.length).get('D') ?? '')).toEqual(Annotation.parse(one))
      }),
      runs,
    )
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.json().map((text) => `{"kind":"held",${text.slice(1)}`),
        ),
        (text) => {
          const read = parseAnnotation(text)
          if (read !== undefined) expect(Annotation.safeParse(read).success).toBe(true)
        },
      ),
      runs,
    )
  })
})

describe('SSH', () => {
  const u32 = fc.nat(0xffffffff)
  const text = fc.string({ maxLength: 12 })
  const data = fc.uint8Array({ maxLength: 24 }).map((raw) => Buffer.from(raw))
  const field: fc.Arbitrary<Field> = fc.oneof(u32, fc.boolean(), text, data)
  const payload = fc.oneof(
    fc
      .tuple(fc.integer({ min: 78, max: 101 }), fc.array(field, { maxLength: 6 }))
      .map(([type, fields]) => encode(type, fields)),
    fc.uint8Array({ maxLength: 60 }).map((raw) => Buffer.from(raw)),
  )

  it('a payload is decoded or refused', () => {
    fc.assert(
      fc.property(payload, (one) => orRefuses(SshFrameError, () => decodeConnection(one))),
      runs,
    )
  })

  it('a message is read as it was written, and no part of it is one', () => {
    fc.assert(
      fc.property(u32, text, fc.boolean(), data, u32, (recipient, name, wantReply, rest, kind) => {
        expect(decodeConnection(encode(98, [recipient, name, wantReply], rest))).toEqual({
          type: 'request',
          recipient,
          name,
          wantReply,
          data: rest,
        })
        const extended = encode(95, [recipient, kind, rest])
        expect(decodeConnection(extended)).toEqual({ type: 'extended-data', recipient, kind, data: rest })
        for (let end = 1; end < extended.length; end++) {
          expect(() => decodeConnection(extended.subarray(0, end))).toThrow(SshFrameError)
        }
      }),
      { ...runs, numRuns: 60 },
    )
  })

  it('files are followed the same however their packets are cut, and nothing that a peer sends ends it', () => {
    const sftp = fc
      .tuple(
        fc.constantFrom(3, 4, 5, 6, 9, 10, 11, 13, 14, 15, 18, 20, 101, 102, 103, 200, 7),
        fc.nat(3),
        fc.array(field, { maxLength: 4 }),
      )
      .map(([type, id, fields]) => {
        const body = encode(type, [id, ...fields])
        const head = Buffer.alloc(4)
        head.writeUInt32BE(body.length)
        return Buffer.concat([head, body])
      })
    const said = fc.tuple(fc.boolean(), fc.oneof({ weight: 5, arbitrary: sftp }, { weight: 1, arbitrary: data }))
    fc.assert(
      fc.property(fc.array(said, { maxLength: 20 }), fc.nat(7), (packets, size) => {
        const [together, apart] = [new SftpWatch(), new SftpWatch()]
        const [a, b]: [unknown[], unknown[]] = [[], []]
        for (const [client, packet] of packets) {
          a.push(...(client ? together.fromClient(packet) : together.fromServer(packet)))
          for (let at = 0; at < packet.length; at += size + 1) {
            const piece = packet.subarray(at, at + size + 1)
            b.push(...(client ? apart.fromClient(piece) : apart.fromServer(piece)))
          }
        }
        expect([...b, ...apart.end()]).toEqual([...a, ...together.end()])
      }),
      runs,
    )
  })
})
