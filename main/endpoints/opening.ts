import type { Socket } from 'node:net'
import { readStartup } from '../../shared/postgres/startup.ts'
import type { CancelKey } from '../gateway/cancel.ts'

/**
 * Whether a PostgreSQL client has come to cancel; anything else that it says is left in the socket. Where it asks for encryption first it is
 * told that there is none, as an inspector tells it: libpq asks before it cancels, too. Undefined also when it left.
 */
export async function cancelAsked(socket: Socket): Promise<CancelKey | undefined> {
  let bytes = Buffer.alloc(0)
  for (;;) {
    const more = await chunkOf(socket)
    if (more === undefined) return undefined
    bytes = Buffer.concat([bytes, more])
    const read = bytes[0] === 0 ? readStartup(bytes) : undefined
    if (read?.kind === 'partial') continue
    if (read?.kind === 'whole') {
      const { packet, size } = read
      if (packet.kind === 'cancel') return { processId: packet.processId, secret: Buffer.from(packet.secret) }
      if (packet.kind !== 'startup' && size === bytes.length) {
        bytes = Buffer.alloc(0)
        socket.write('N')
        continue
      }
    }
    socket.unshift(bytes)
    return undefined
  }
}

/** What has come; undefined when nothing more will. */
function chunkOf(socket: Socket): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const done = (chunk: Buffer | undefined): void => {
      socket.off('readable', look)
      socket.off('end', leave)
      socket.off('close', leave)
      resolve(chunk)
    }
    const look = (): void => {
      const chunk: unknown = socket.read()
      if (chunk instanceof Buffer) done(chunk)
    }
    const leave = (): void => done(undefined)
    socket.on('readable', look)
    socket.on('end', leave)
    socket.on('close', leave)
    look()
  })
}
