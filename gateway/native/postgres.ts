import { createServer, type Server, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { createSecureContext, type SecureContext, TLSSocket } from 'node:tls'
import { sqlstates } from '../../shared/annotation.ts'
import { isLoopback } from '../config-schema.ts'
import type { LocalAgent, Log } from '../services.ts'
import { type Credentials, enterNative, type NativeDeps, type NativeEntry, splitUser } from './enter.ts'
import { bind, type NativeListener, type NativeOptions, type Served } from './listener.ts'
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

export interface PostgresListenerOptions extends NativeOptions, NativeDeps {
  agent: LocalAgent
  /** PEM. With it, clients from other machines must use TLS. */
  tls: { cert: string; key: string } | undefined
  log: Log
}

/** What the TLS of a PostgreSQL client carries. */
const alpn = 'postgresql'

type Startup = Extract<StartupPacket, { kind: 'startup' }>

/**
 * The native PostgreSQL listener: start-up, password, and then the agent's. Every connection is served by itself, with
 * one deadline for all that comes before the agent, and a cap on how many may be in that phase.
 */
export async function listenPostgres(options: PostgresListenerOptions): Promise<NativeListener> {
  const context = options.tls === undefined ? undefined : createSecureContext({ ...options.tls, minVersion: 'TLSv1.2' })
  const server: Server = createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: 30_000 })
  return bind(server, options, (socket, deadline) => serve(options, context, socket, deadline))
}

/** Resolves when the connection is the agent's, or was refused. */
async function serve(
  options: PostgresListenerOptions,
  context: SecureContext | undefined,
  socket: Socket,
  deadline: Deadline,
): Promise<Served> {
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
          options.agent.cancelPostgres(packet.processId, packet.secret)
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
          return await authenticate(options, stream, reader, packet, addressOf(socket))
      }
    }
  } catch (error) {
    if (error instanceof StartupError) stream.end(fatal('08P01', error.message, undefined))
    else {
      options.log.info({ err: error }, 'a connection at the PostgreSQL listener ended before it was let in')
      stream.destroy()
    }
    return 'refused'
  }
}

/** Asks for the token while the StartupMessage stays at the front, where the inspector expects it. */
async function authenticate(
  options: PostgresListenerOptions,
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
  const entry = await reader.deadline.race(enterNative(options, { ...typed(startup), token, sourceIp }))
  if (!entry.ok) {
    stream.end(refusal(entry))
    return 'refused'
  }
  const { connection, target } = entry.session.spec
  if (target.kind !== 'postgres') {
    stream.end(
      fatal('3D000', `${connection.name} is not a PostgreSQL database.`, 'sallyport ls tells the kind of each.'),
    )
    return 'refused'
  }
  if (stream.destroyed) return 'refused'
  const full = options.sessions.room(connection.name, entry.session.spec.principal.id)
  if (full !== undefined) {
    // too_many_connections, as PostgreSQL's own limit says.
    stream.end(fatal('53300', full.message, full.hint))
    return 'refused'
  }
  // The inspector begins with the StartupMessage; what the client sent ahead of time follows it.
  const early = reader.release()
  stream.unshift(Buffer.concat([message, early]))
  stream.on('error', (error) => options.log.info({ err: error }, 'a connection at the PostgreSQL listener broke'))
  void options.sessions.open({ ...entry.session, client: stream }).then(() => {
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

function refusal(entry: Exclude<NativeEntry, { ok: true }>): Buffer {
  switch (entry.kind) {
    case 'token':
      return fatal('28P01', entry.message, entry.hint)
    case 'unknown':
      return fatal('3D000', entry.message, entry.hint)
    case 'blocked':
    case 'held':
    case 'step-up':
      return fatal(sqlstates.blocked, entry.message, entry.hint)
  }
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
