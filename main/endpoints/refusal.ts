import type { Socket } from 'node:net'
import type { ConnectionKind } from '../../shared/connection.ts'
import type { Problem } from '../../shared/rpc/contract.ts'

const encryptionRequests: readonly number[] = [80877103, 80877104]
const waitMs = 5_000

/** Tells a native tool why it is not let in, in its own protocol, and hangs up. */
export function refuse(socket: Socket, kind: ConnectionKind, problem: Problem): void {
  const words = problem.hint === undefined ? problem.message : `${problem.message} ${problem.hint}`
  // However long it goes on talking.
  const timer = setTimeout(() => socket.destroy(), waitMs)
  socket.once('close', () => clearTimeout(timer))
  if (kind === 'postgres') refusePostgres(socket, problem)
  // SSH servers may send lines before their version (RFC 4253, 4.2); clients show or log them.
  else socket.end(`Sallyport: ${words}\r\n`)
}

/** Clients read an answer only to a StartupMessage; before it they may ask for encryption, which is answered with `N`. */
function refusePostgres(socket: Socket, problem: Problem): void {
  socket.on('data', (chunk: Buffer) => {
    const code = chunk.length >= 8 ? chunk.readInt32BE(4) : 0
    if (chunk.length === 8 && encryptionRequests.includes(code)) socket.write('N')
    else socket.end(errorResponse(problem))
  })
  socket.resume()
}

function errorResponse(problem: Problem): Buffer {
  const fields = [`SFATAL`, `VFATAL`, `C08004`, `M${clean(problem.message)}`]
  if (problem.hint !== undefined) fields.push(`H${clean(problem.hint)}`)
  const body = Buffer.from(`${fields.join('\0')}\0\0`)
  const head = Buffer.alloc(5)
  head.write('E')
  head.writeInt32BE(body.length + 4, 1)
  return Buffer.concat([head, body])
}

function clean(text: string): string {
  return text.replaceAll('\0', '')
}
