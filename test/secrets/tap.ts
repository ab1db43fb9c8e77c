import { connect, createServer, type Server, type Socket } from 'node:net'
import { frontend } from '../../agent/inspect/postgres/messages.ts'
import { hear } from '../../agent/inspect/postgres/testing/wire.ts'
import { said } from './worlds.ts'

/** A text that somebody asked, and all that came until the next. */
export interface Exchange {
  asked: string
  said: readonly string[]
}

/** Between clients who wait for each answer and a door: keeps what passes. */
export class Tap {
  readonly port: number
  readonly #server: Server
  readonly #talks: Talk[]

  private constructor(port: number, server: Server, talks: Talk[]) {
    this.port = port
    this.#server = server
    this.#talks = talks
  }

  static async open(to: number): Promise<Tap> {
    const talks: Talk[] = []
    const server = createServer((client) =>
      talks.push(new Talk(client, connect({ port: to, host: '127.0.0.1', noDelay: true }))),
    )
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    return new Tap(address !== null && typeof address === 'object' ? address.port : 0, server, talks)
  }

  /** What passed since it was last taken. */
  take(): Exchange[] {
    return this.#talks.splice(0).flatMap((talk) => talk.exchanges())
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#server.close(() => resolve()))
  }
}

/** One connection. */
class Talk {
  readonly #parts: { asked: string; bytes: Buffer[] }[] = [{ asked: '', bytes: [] }]
  #rest: Buffer = Buffer.alloc(0)
  #begun = false

  constructor(client: Socket, door: Socket) {
    client.on('data', (bytes: Buffer) => this.#heard(bytes))
    door.on('data', (bytes: Buffer) => this.#parts.at(-1)?.bytes.push(bytes))
    client.pipe(door)
    door.pipe(client)
    for (const [one, other] of [
      [client, door],
      [door, client],
    ] as const) {
      one.on('error', () => other.destroy())
    }
  }

  #heard(bytes: Buffer): void {
    // The first says who comes, and has no type.
    if (!this.#begun) {
      this.#begun = true
      return
    }
    this.#rest = Buffer.concat([this.#rest, bytes])
    while (this.#rest.length >= 5 && this.#rest.length > this.#rest.readInt32BE(1)) {
      const end = 1 + this.#rest.readInt32BE(1)
      if (this.#rest[0] === frontend.query)
        this.#parts.push({ asked: this.#rest.toString('utf8', 5, end - 1), bytes: [] })
      this.#rest = this.#rest.subarray(end)
    }
  }

  exchanges(): Exchange[] {
    // What is said before the first has the key of the session in it.
    return this.#parts.slice(1).map(({ asked, bytes }) => ({ asked, said: said(hear(Buffer.concat(bytes))) }))
  }
}
