import { timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { isOwnPeer } from '../peer.ts'
import { readEntry } from './entry.ts'

export interface DoorOptions {
  /** The one-time name that the program says in its first packet. */
  user: string
  /** The program came in. The socket is paused, with its first packet put back. */
  entered(socket: Socket): void
  warn(message: string): void
}

/** The loopback endpoint of one desktop session. */
export interface Door {
  readonly host: string
  readonly port: number
  close(): void
}

/** A program that says nothing is not kept waiting for. */
const firstPacketMs = 10_000
/** Others on this machine can't pile up connections. */
const maxConnections = 8

/**
 * Opens an endpoint on a free port. The first connection that is made by this user and says the one-time name enters, and no other does after
 * it; whatever else connects is dropped without an answer and without a byte of it reaching the gateway.
 */
export async function openDoor({ user, entered, warn }: DoorOptions): Promise<Door> {
  const host = '127.0.0.1'
  const waiting = new Set<Socket>()
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => socket.destroy())
    waiting.add(socket)
    socket.once('close', () => waiting.delete(socket))
    void admit(socket)
  })
  server.maxConnections = maxConnections
  server.listen(0, host)
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no local port could be opened')

  async function admit(socket: Socket): Promise<void> {
    const own = await isOwnPeer(socket)
    if (!own) warn('another user of this machine tried the endpoint of a desktop; it was turned away')
    const first = own ? await firstPacket(socket) : undefined
    if (first === undefined || !isSame(first.user, user) || !server.listening) {
      socket.destroy()
      return
    }
    waiting.delete(socket)
    shut()
    socket.unshift(first.bytes)
    entered(socket)
  }

  function shut(): void {
    server.close()
    for (const socket of waiting) socket.destroy()
  }

  return { host, port: address.port, close: shut }
}

function isSame(seen: string, wanted: string): boolean {
  const [a, b] = [Buffer.from(seen), Buffer.from(wanted)]
  return a.length === b.length && timingSafeEqual(a, b)
}

/** Reads the first packet and pauses the socket; undefined when none comes, or something else does. */
function firstPacket(socket: Socket): Promise<{ bytes: Buffer; user: string } | undefined> {
  return new Promise((resolve) => {
    let bytes: Buffer = Buffer.alloc(0)
    const timer = setTimeout(() => done(undefined), firstPacketMs)
    const done = (result: { bytes: Buffer; user: string } | undefined): void => {
      clearTimeout(timer)
      socket.off('data', read)
      socket.off('close', closed)
      socket.pause()
      resolve(result)
    }
    const read = (chunk: Buffer): void => {
      bytes = Buffer.concat([bytes, chunk])
      const entry = readEntry(bytes)
      if (entry.kind === 'request') done({ bytes, user: entry.user })
      else if (entry.kind === 'invalid') done(undefined)
    }
    const closed = (): void => done(undefined)
    socket.on('data', read)
    socket.once('close', closed)
  })
}
