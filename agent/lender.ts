import { connect, type Socket, type TcpNetConnectOpts } from 'node:net'
import type { Lender } from './inspect/postgres/lending.ts'

/** What one read takes at most. */
const size = 64 * 1024
/** Until a read fills it, this is enough: most sessions are idle, and have small answers when they are not. */
const smallSize = 1024
/** Less than this is copied: that is cheap, and nobody has to think of whose memory it is. */
const copyBelow = 16 * 1024

/** A connection that reads into one buffer; until it lends, it is a socket like any other. */
export function connectLender(options: TcpNetConnectOpts): Socket & Lender {
  let buffer = Buffer.allocUnsafeSlow(smallSize)
  let reader: ((chunk: Buffer) => boolean) | undefined
  const socket: Socket = connect({
    ...options,
    onread: {
      buffer: () => buffer,
      callback: (length) => {
        if (reader === undefined) return socket.push(Buffer.from(buffer.subarray(0, length)))
        if (length < copyBelow) reader(Buffer.from(buffer.subarray(0, length)))
        else if (reader(buffer.subarray(0, length))) buffer = Buffer.allocUnsafeSlow(size)
        if (length === buffer.length && length < size) buffer = Buffer.allocUnsafeSlow(size)
        // `pause` has stopped the reading already where it was called; this must not start it again.
        return !socket.isPaused()
      },
    },
  })
  const lend = (read: (chunk: Buffer) => boolean): void => {
    const before: unknown = socket.read()
    reader = read
    if (Buffer.isBuffer(before)) read(before)
  }
  return Object.assign(socket, { lend })
}
