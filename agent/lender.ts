import { connect, type OnReadOpts, Socket, type TcpNetConnectOpts } from 'node:net'
import type { Lender } from './inspect/postgres/lending.ts'

/** What one read takes at most. */
const size = 64 * 1024
/** Until a read fills it, this is enough: most sessions are idle, and have small answers when they are not. */
const smallSize = 1024
/** Less than this is copied: that is cheap, and nobody has to think of whose memory it is. */
const copyBelow = 16 * 1024

/** A connection that reads into one buffer; until it lends, it is a socket like any other. */
export function connectLender(options: TcpNetConnectOpts): Socket & Lender {
  return lender((onread) => connect({ ...options, onread }))
}

/**
 * The same for a connection that was accepted: Node lets nobody say of those how they are read, so another socket takes over what the
 * operating system knows it by. The one that was given is closed then, and the connection goes on. Where a Node has no such thing
 * to take over, it is given back as it is.
 */
export function acceptLender(accepted: Socket): Socket {
  const handle: unknown = Reflect.get(accepted, '_handle')
  if (typeof handle !== 'object' || handle === null || !('useUserBuffer' in handle)) return accepted
  return lender((onread) => {
    const taken: Socket = Reflect.construct(Socket, [{ handle, onread, readable: true, writable: true }])
    Reflect.set(accepted, '_handle', null)
    accepted.destroy()
    return taken
  })
}

/** In the engine's own pool, and without a view for the way there. */
function copyOf(buffer: Buffer, length: number): Buffer {
  const copy = Buffer.allocUnsafe(length)
  buffer.copy(copy, 0, 0, length)
  return copy
}

function lender(open: (onread: OnReadOpts) => Socket): Socket & Lender {
  let buffer = Buffer.allocUnsafeSlow(smallSize)
  let reader: ((chunk: Buffer) => boolean) | undefined
  const socket = open({
    buffer: () => buffer,
    callback: (length) => {
      if (reader === undefined) return socket.push(Buffer.from(buffer.subarray(0, length)))
      if (length < copyBelow) reader(copyOf(buffer, length))
      else if (reader(buffer.subarray(0, length))) buffer = Buffer.allocUnsafeSlow(size)
      if (length === buffer.length && length < size) buffer = Buffer.allocUnsafeSlow(size)
      // `pause` has stopped the reading already where it was called; this must not start it again.
      return !socket.isPaused()
    },
  })
  const lend = (read: (chunk: Buffer) => boolean): void => {
    const before: unknown = socket.read()
    reader = read
    if (Buffer.isBuffer(before)) read(before)
  }
  return Object.assign(socket, { lend })
}
