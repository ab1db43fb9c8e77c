import { hash } from 'node:crypto'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { createSecureContext, type SecureContext, TLSSocket } from 'node:tls'
import { isLoopback } from '../config-schema.ts'
import { seldom } from '../seldom.ts'
import type { Log } from '../services.ts'
import { type Credentials, splitUser } from './enter.ts'
import { Entering, type EnteringOptions, type Served } from './entering.ts'
import { type Deadline, StreamReader } from './reader.ts'
import {
  askPassword,
  fatal,
  maxPasswordBytes,
  maxStartupBytes,
  negotiate,
  StartupError,
  type StartupPacket,
  takeDirectTls,
  takePassword,
  takeStartup,
} from './startup.ts'

/** Who lets PostgreSQL clients in, once they have said who they are and where to. */
export interface PostgresEntrance {
  /** `client`: the stream whose session it becomes. One that closes before `begin` leaves nothing behind. */
  enter(typed: Credentials, client: Duplex): Promise<PostgresEntry>
  /** A CancelRequest, with the SHA-256 of the key's secret: whoever has that session cancels what it runs. Nobody is told how it went. */
  cancel(processId: number, digest: Uint8Array): void
}

export type PostgresEntry =
  /** `begin`: serves the client, which begins with its StartupMessage. Resolves when the session is over. */
  { ok: true; begin(): Promise<unknown> } | { ok: false; sqlstate: string; message: string; hint: string }

export interface PostgresDoorOptions extends EnteringOptions {
  entrance: PostgresEntrance
  /** PEM. With it, clients from other machines must use TLS. */
  tls: { cert: string; key: string } | undefined
}

/** What the TLS of a PostgreSQL client carries. */
const alpn = 'postgresql'

type Startup = Extract<StartupPacket, { kind: 'startup' }>

interface Door {
  entrance: PostgresEntrance
  context: SecureContext | undefined
  log: Pick<Log, 'info'>
}

/**
 * The native PostgreSQL door: start-up, password, and then the agent's. Every connection is served by itself, with
 * one deadline for all that comes before the agent, and a cap on how many may be in that phase.
 */
export function postgresDoor(options: PostgresDoorOptions): Entering {
  const { entrance, tls } = options
  const log = seldom(options.log)
  const context = tls === undefined ? undefined : createSecureContext({ ...tls, minVersion: 'TLSv1.2' })
  return new Entering(options, (socket, deadline) => serve({ entrance, context, log }, socket, deadline))
}

/** Resolves when the connection is the agent's, or was refused. */
async function serve(door: Door, socket: Socket, deadline: Deadline): Promise<Served> {
  const { context } = door
  let stream: Duplex = socket
  try {
    let reader = new StreamReader(socket, deadline)
    if ((await reader.peek(maxStartupBytes, takeDirectTls)).packet) {
      if (context === undefined) throw new Error('TLS was begun, and this listener has none')
      socket.unshift(reader.release())
      const encrypted = await secure(socket, context, deadline)
      // As PostgreSQL: without it, bytes that were meant for another protocol could pass for this one.
      if (encrypted.alpnProtocol !== alpn) throw new Error('TLS was begun for another protocol than PostgreSQL')
      stream = encrypted
      reader = new StreamReader(stream, deadline)
    }
    for (;;) {
      const { packet } = await reader.peek(maxStartupBytes, takeStartup)
      switch (packet.kind) {
        case 'terminate':
          socket.destroy()
          return 'refused'
        case 'cancel':
          door.entrance.cancel(packet.processId, hash('sha256', packet.secret, 'buffer'))
          socket.destroy()
          return 'refused'
        case 'gssenc':
          reader.consume()
          stream.write('N')
          continue
        case 'ssl':
          if (stream !== socket) throw new StartupError('TLS is on already.')
          reader.consume()
          if (context === undefined) {
            stream.write('N')
            continue
          }
          // Sent before TLS began, so by anybody: they would count as said under TLS.
          if (reader.buffered > 0) throw new StartupError('Nothing may be sent before the answer to the TLS request.')
          reader.release()
          stream.write('S')
          stream = await secure(socket, context, deadline)
          reader = new StreamReader(stream, deadline)
          continue
        case 'startup':
          if (context !== undefined && stream === socket && !isLoopback(socket.remoteAddress ?? '')) {
            stream.end(fatal('28000', 'This gateway speaks TLS only.', 'Connect with sslmode=require or stricter.'))
            return 'refused'
          }
          return await authenticate(door, stream, reader, packet, addressOf(socket))
      }
    }
  } catch (error) {
    if (error instanceof StartupError) stream.end(fatal('08P01', error.message, undefined))
    else {
      door.log.info({ err: error }, 'a connection at the PostgreSQL listener ended before it was let in')
      stream.destroy()
    }
    return 'refused'
  }
}

/** Asks for the token while the StartupMessage stays at the front, where the inspector expects it. */
async function authenticate(
  { entrance, log }: Door,
  stream: Duplex,
  reader: StreamReader,
  startup: Startup,
  sourceIp: string,
): Promise<Served> {
  const negotiated = negotiate(startup)
  const asked = reader.take()
  if (negotiated !== undefined) stream.write(negotiated.answer)
  const message = negotiated?.startup ?? asked
  stream.write(askPassword)
  const { packet: token } = await reader.peek(maxPasswordBytes, takePassword)
  reader.consume()
  const entry = await reader.deadline.race(entrance.enter({ ...typed(startup), token, sourceIp }, stream))
  if (!entry.ok) {
    stream.end(fatal(entry.sqlstate, entry.message, entry.hint))
    return 'refused'
  }
  if (stream.destroyed) return 'refused'
  // The inspector begins with the StartupMessage; what the client sent ahead of time follows it.
  const early = reader.release()
  stream.unshift(Buffer.concat([message, early]))
  stream.on('error', (error) => log.info({ err: error }, 'a connection at the PostgreSQL listener broke'))
  void entry.begin().then(() => {
    if (!stream.writableEnded) stream.end()
  })
  return 'in'
}

/** `database=orders-db`, or `user=ada%orders-db`; the former is what most tools can set. */
function typed(startup: Startup): Omit<Credentials, 'token' | 'sourceIp'> {
  const named = splitUser(startup.parameters.get('user') ?? '')
  const database = splitUser(startup.parameters.get('database') ?? '')
  return { user: named.user, connection: named.connection ?? database.connection ?? database.user }
}

function secure(socket: Socket, secureContext: SecureContext, deadline: Deadline): Promise<TLSSocket> {
  const stream = new TLSSocket(socket, { isServer: true, secureContext, ALPNProtocols: [alpn] })
  return deadline.race(
    new Promise((done, fail) => {
      stream.once('secure', () => done(stream))
      stream.once('error', fail)
      stream.once('close', () => fail(new Error('the client left during the TLS handshake')))
    }),
  )
}

function addressOf(socket: Socket): string {
  return (socket.remoteAddress ?? '').replace(/^::ffff:/, '')
}
