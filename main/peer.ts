import { readFile } from 'node:fs/promises'
import { isIPv4, type Socket } from 'node:net'
import { endianness } from 'node:os'
import { codeOf } from './problem.ts'

/** One end of a connection. */
export interface End {
  address: string
  port: number
}

/**
 * Whether a loopback connection was made by the user we run as (or root, who can do anything anyway). Loopback is shared by everyone
 * on a machine, and on a jump host others could enter through our ports. Linux tells who owns the other end; where the system does
 * not tell, this is true and the host's own access control is what there is.
 */
export async function isOwnPeer(socket: Socket): Promise<boolean> {
  const { remoteAddress, remotePort, localAddress, localPort } = socket
  const own = process.getuid?.()
  if (process.platform !== 'linux' || own === undefined) return true
  if (remoteAddress === undefined || remotePort === undefined) return false
  if (localAddress === undefined || localPort === undefined) return false
  const here: End = { address: localAddress, port: localPort }
  const there: End = { address: remoteAddress, port: remotePort }
  const tables = await Promise.all(['/proc/net/tcp', '/proc/net/tcp6'].map(readTable))
  const table = tables.filter((text) => text !== undefined).join('\n')
  if (findSocket(table, here, there) === undefined) return true
  const theirs = findSocket(table, there, here)
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

/**
 * An established socket in `/proc/net/tcp` or `tcp6`, by both its ends: ports alone may be those of somebody else's connection, at another
 * address. A program whose sockets are all of IPv6, as Java's are, reaches IPv4 through them and is in `tcp6`. Sockets that are closing
 * have lost their owner and do not count.
 */
export function findSocket(table: string, local: End, remote: End): { uid: number } | undefined {
  const froms = formsOf(local)
  const tos = formsOf(remote)
  for (const line of table.split('\n')) {
    const [, from = '', to = '', state, , , , uid] = line.trim().split(/\s+/)
    if (state === '01' && froms.includes(from) && tos.includes(to)) return { uid: Number(uid) }
  }
  return undefined
}

/** An end as the kernel may write it: an IPv4 address by itself, or mapped into IPv6. */
function formsOf({ address, port }: End): string[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  const bare = address.replace(/^::ffff:/i, '')
  if (!isIPv4(bare)) return [hex(bytesOf6(bare)) + suffix]
  const four = bare.split('.').map(Number)
  return [hex(four) + suffix, hex([...mapped, ...four]) + suffix]
}

const mapped = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]

function bytesOf6(address: string): number[] {
  const [bare = ''] = address.split('%')
  const [head = '', tail] = bare.split('::')
  const words = (text: string) => (text === '' ? [] : text.split(':').map((word) => Number.parseInt(word, 16)))
  const [front, back] = [words(head), words(tail ?? '')]
  const gap = tail === undefined ? 0 : 8 - front.length - back.length
  return [...front, ...Array<number>(Math.max(gap, 0)).fill(0), ...back].flatMap((word) => [word >> 8, word & 0xff])
}

/** The kernel writes an address as numbers of 32 bits, each in the order of the machine. */
function hex(bytes: readonly number[]): string {
  const words: string[] = []
  for (let i = 0; i < bytes.length; i += 4) {
    const word = Buffer.from(bytes.slice(i, i + 4))
    words.push((endianness() === 'LE' ? word.reverse() : word).toString('hex').toUpperCase())
  }
  return words.join('')
}
