import { readFile } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { codeOf } from './problem.ts'

/**
 * Whether a loopback connection was made by the user we run as (or root, who can do anything anyway). Loopback is shared by everyone
 * on a machine, and on a jump host others could enter through our ports. Linux tells who owns the other end; where the system does
 * not tell, this is true and the host's own access control is what there is.
 */
export async function isOwnPeer(socket: Socket): Promise<boolean> {
  const { remoteAddress, remotePort, localPort } = socket
  const own = process.getuid?.()
  if (process.platform !== 'linux' || own === undefined) return true
  if (remoteAddress === undefined || remotePort === undefined || localPort === undefined) return false
  const file = remoteAddress.includes(':') ? '/proc/net/tcp6' : '/proc/net/tcp'
  const table = await readTable(file)
  if (table === undefined) return true
  const ours = findSocket(table, localPort, remotePort)
  if (ours === undefined) return true
  const theirs = findSocket(table, remotePort, localPort)
  return theirs !== undefined && (theirs.uid === own || theirs.uid === 0)
}

async function readTable(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'latin1')
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'EACCES') return undefined
    throw error
  }
}

/** An established socket in `/proc/net/tcp`, by its ports. Sockets that are closing have lost their owner and do not count. */
export function findSocket(table: string, localPort: number, remotePort: number): { uid: number } | undefined {
  const local = `:${hex(localPort)}`
  const remote = `:${hex(remotePort)}`
  for (const line of table.split('\n')) {
    const [, from, to, state, , , , uid] = line.trim().split(/\s+/)
    if (from?.endsWith(local) && to?.endsWith(remote) && state === '01') return { uid: Number(uid) }
  }
  return undefined
}

function hex(port: number): string {
  return port.toString(16).toUpperCase().padStart(4, '0')
}
