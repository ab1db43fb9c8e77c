import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import {
  cstring,
  frontend,
  int16,
  int32,
  message,
  messages,
  readFields,
} from '../../agent/inspect/postgres/messages.ts'
import { writeStartup } from '../../agent/inspect/postgres/start/startup.ts'
import { type Heard, hear } from '../../agent/inspect/postgres/testing/wire.ts'

/** What came back for one request: the very bytes, and what they say. */
export interface Answer {
  bytes: Buffer
  heard: readonly Heard[]
  errors: readonly { sqlstate: string; message: string }[]
  notices: readonly string[]
  tags: readonly string[]
  rows: number
  /** The other side hung up before it was ready again. */
  closed: boolean
}

export interface Door {
  host: string
  port: number
  user: string
  database: string
  /** Undefined: the other side asks for none. */
  password?: string
  parameters?: Readonly<Record<string, string>>
}

const ready = 'Z'

/** A PostgreSQL client that sends any bytes it is told to, and keeps every byte that it gets. */
export class RawPostgres {
  readonly #socket: Socket
  #chunks: Buffer[] = []
  #wake: () => void = () => {}
  #closed = false

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk)
      this.#wake()
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      this.#closed = true
      this.#wake()
    })
  }

  static async open({ host, port, user, database, password, parameters = {} }: Door): Promise<RawPostgres> {
    const socket = connect({ host, port, noDelay: true })
    await once(socket, 'connect')
    const client = new RawPostgres(socket)
    const settings = { user, database, ...parameters }
    const start = writeStartup(Object.entries(settings))
    const answer = await client.send(password === undefined ? [start] : [start, message(0x70, cstring(password))])
    if (answer.closed || answer.errors.length > 0) throw new Error(answer.errors[0]?.message ?? 'the door was closed')
    return client
  }

  get closed(): boolean {
    return this.#closed
  }

  /**
   * Sends all of it at once, and reads until the other side is ready `times` times, or gone. What came unasked since
   * the answer before belongs to this one.
   */
  async send(parts: readonly Buffer[], times = 1): Promise<Answer> {
    const unasked = hear(Buffer.concat(this.#chunks)).filter(({ type }) => type === 'A' || type === 'N')
    this.#chunks = []
    if (!this.#closed) this.#socket.write(Buffer.concat(parts))
    const synced = parts.at(-1)?.[0] === frontend.sync
    let copies = 0
    for (;;) {
      if (this.#closed || this.#mayBeDone()) {
        const bytes = Buffer.concat(this.#chunks)
        this.#chunks = [bytes]
        const heard = [...unasked, ...hear(bytes)]
        const asked = heard.filter(({ type }) => type === 'G').length
        // A COPY that wants data gets none.
        for (; copies < asked; copies++) {
          this.#socket.write(message(frontend.copyFail, cstring('no')))
          if (synced) this.#socket.write(messages.sync)
        }
        const done = heard.filter(({ type }) => type === ready).length >= times
        if (this.#closed || done) {
          this.#chunks = []
          return answerOf(Buffer.concat([...unasked.map((one) => one.bytes), bytes]), heard, this.#closed)
        }
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  /** Ends with ReadyForQuery, or is little enough to be looked through. */
  #mayBeDone(): boolean {
    const last = this.#chunks.at(-1)
    if (last === undefined) return false
    if (last.length >= 6 && last.toString('latin1', last.length - 6, last.length - 1) === 'Z\0\0\0\x05') return true
    return this.#chunks.reduce((sum, chunk) => sum + chunk.length, 0) < 65_536
  }

  query(sql: string): Promise<Answer> {
    return this.send([messages.query(sql)])
  }

  /** Parse, Bind, Describe, Execute and Sync in one write. */
  extended(
    sql: string,
    options: { binary?: boolean; rows?: number; values?: readonly string[] } = {},
  ): Promise<Answer> {
    const { binary = false, rows = 0, values = [] } = options
    return this.send([
      messages.parse('', sql),
      bind('', '', values, binary),
      messages.describe('P', ''),
      execute('', rows),
      messages.sync,
    ])
  }

  close(): void {
    this.#socket.destroy()
  }
}

export function bind(portal: string, statement: string, values: readonly string[] = [], binary = false): Buffer {
  return message(
    frontend.bind,
    cstring(portal),
    cstring(statement),
    int16(0),
    int16(values.length),
    ...values.flatMap((value) => [int32(Buffer.byteLength(value)), Buffer.from(value)]),
    int16(1),
    int16(binary ? 1 : 0),
  )
}

export function execute(portal: string, rows = 0): Buffer {
  return message(frontend.execute, cstring(portal), int32(rows))
}

function answerOf(bytes: Buffer, heard: readonly Heard[], closed: boolean): Answer {
  const fields = (type: string) =>
    heard.filter((one) => one.type === type).map(({ bytes: own }) => readFields(own, 0, own.length))
  return {
    bytes,
    heard,
    errors: fields('E').map((one) => ({ sqlstate: one.get('C') ?? '', message: one.get('M') ?? '' })),
    notices: fields('N').map((one) => one.get('C') ?? ''),
    tags: heard.flatMap(({ type, bytes: own }) => (type === 'C' ? [own.toString('latin1', 5, own.length - 1)] : [])),
    rows: heard.filter(({ type }) => type === 'D' || type === 'd').length,
    closed,
  }
}
