import type { Duplex } from 'node:stream'
import {
  newestMinor,
  readStartup,
  type StartupFault,
  type StartupPacket,
  startupCodes,
} from '../../../../shared/postgres/startup.ts'
import { FrameError } from '../frames.ts'
import { cstring, int32, message } from '../messages.ts'
import { readOptions } from './options.ts'

export type Opening =
  | { kind: 'cancel'; processId: number; secret: Uint8Array }
  | { kind: 'startup'; minor: number; parameters: ReadonlyMap<string, string>; rest: Buffer }

/** Reads up to the StartupMessage or CancelRequest. Rejects with FrameError, or when the client leaves or `signal` fires. */
export function readOpening(client: Duplex, signal: AbortSignal): Promise<Opening> {
  return new Promise((resolve, reject) => {
    let held: Buffer = Buffer.alloc(0)
    const asked = new Set<string>()
    const settle = (act: () => void): void => {
      client.off('data', onData)
      client.off('end', onEnd)
      client.off('close', onEnd)
      client.off('error', onError)
      signal.removeEventListener('abort', onAbort)
      client.pause()
      act()
    }
    const onError = (error: Error): void => settle(() => reject(error))
    const onEnd = (): void => settle(() => reject(new FrameError('the client left before it said who it is')))
    const onAbort = (): void => settle(() => reject(signal.reason))
    const onData = (chunk: Buffer): void => {
      held = held.length === 0 ? chunk : Buffer.concat([held, chunk])
      try {
        for (;;) {
          const read = readPacket(held)
          if (read === undefined) return
          const { packet, size } = read
          held = held.subarray(size)
          if (packet.kind === 'ssl' || packet.kind === 'gssenc') {
            // The tunnel or the listener is what encrypts.
            if (asked.has(packet.kind)) throw new FrameError('encryption was asked for twice')
            asked.add(packet.kind)
            client.write('N')
            continue
          }
          settle(() => resolve(packet.kind === 'startup' ? { ...packet, rest: held } : packet))
          return
        }
      } catch (error) {
        settle(() => reject(error))
      }
    }
    client.on('data', onData)
    client.on('end', onEnd)
    client.on('close', onEnd)
    client.on('error', onError)
    signal.addEventListener('abort', onAbort)
    if (signal.aborted) onAbort()
  })
}

/** Undefined: not whole yet. Throws FrameError. */
export function readPacket(buf: Buffer): { packet: StartupPacket; size: number } | undefined {
  const read = readStartup(buf)
  if (read.kind === 'fault') throw new FrameError(wordsFor(read.fault))
  return read.kind === 'partial' ? undefined : read
}

function wordsFor(fault: StartupFault): string {
  switch (fault.kind) {
    case 'length':
      return `a start-up packet of length ${fault.length}`
    case 'protocol':
      return `protocol version ${fault.major}.${fault.minor}; this door speaks 3.0 to 3.${newestMinor}`
    case 'cancel':
      return 'a cancel request without a key that could be one'
    case 'parameters':
      return 'a start-up message that is malformed'
    default:
      return fault satisfies never
  }
}

/** A StartupMessage of protocol 3.`minor`. */
export function writeStartup(parameters: Iterable<readonly [string, string]>, minor = 0): Buffer {
  const parts: Buffer[] = [int32((3 << 16) | minor)]
  for (const [name, value] of parameters) parts.push(cstring(name), cstring(value))
  parts.push(Buffer.from([0]))
  const body = Buffer.concat(parts)
  return Buffer.concat([int32(body.length + 4), body])
}

export function writeCancel(processId: number, secret: Uint8Array): Buffer {
  return Buffer.concat([int32(12 + secret.length), int32(startupCodes.cancel), int32(processId), secret])
}

export const sslRequest = Buffer.concat([int32(8), int32(startupCodes.ssl)])

/** NegotiateProtocolVersion, where the client asked for what is newer than this door, or for extensions; there are none. */
export function negotiateVersion(minor: number, parameters: ReadonlyMap<string, string>): Buffer | undefined {
  const unknown = [...parameters.keys()].filter((name) => name.startsWith('_pq_.'))
  if (minor <= newestMinor && unknown.length === 0) return undefined
  const spoken = (3 << 16) | Math.min(minor, newestMinor)
  return message(0x76, int32(spoken), int32(unknown.length), ...unknown.map(cstring))
}

/** Bytes of the cancel key that a client gets: as PostgreSQL has it, 32 from protocol 3.2 on. */
export function cancelKeyLength(minor: number): number {
  return minor >= 2 ? 32 : 4
}

const ours = new Set(['user', 'database', 'replication', 'options'])

/** Settings that make the session somebody else's: as SET ROLE, they are policy's to allow. */
const becoming = new Set(['role', 'session_authorization'])

export type Replication = 'none' | 'physical' | 'database'

export type TargetParameters =
  | {
      ok: true
      parameters: Map<string, string>
      replication: Replication
      /** Settings among them that policy has to allow, as statements. */
      becomes: readonly string[]
    }
  | { ok: false; sqlstate: string; message: string }

/** The start-up parameters that go to the target: the client's own settings and `options` taken apart, signed in as the connection says. */
export function targetParameters(
  asked: ReadonlyMap<string, string>,
  target: { user: string; database: string },
): TargetParameters {
  const replication = readReplication(asked.get('replication'))
  if (replication === undefined) {
    return { ok: false, sqlstate: '22023', message: 'invalid value for parameter "replication"' }
  }
  const options = readOptions(asked.get('options') ?? '')
  if (options === undefined) {
    return { ok: false, sqlstate: '42601', message: 'invalid command-line argument for server process' }
  }
  const parameters = new Map<string, string>([
    ['user', target.user],
    ['database', target.database],
  ])
  if (replication !== 'none') parameters.set('replication', replication === 'database' ? 'database' : 'true')
  const own = [...asked].filter(([name]) => !ours.has(name) && !name.startsWith('_pq_.'))
  const spelt = new Map<string, string>()
  const becomes: string[] = []
  // As PostgreSQL applies them: what has a parameter of its own wins over `options`, and what is said last over what was before.
  for (const [name, value] of [...options, ...own]) {
    const key = name.toLowerCase()
    // They would be read as who signs in, and where.
    if (ours.has(key) || key.startsWith('_pq_.')) {
      return { ok: false, sqlstate: '42704', message: `unrecognized configuration parameter "${name}"` }
    }
    if (becoming.has(key) && value.toLowerCase() !== 'none') becomes.push(`SET ${key} TO ${quoted(value)}`)
    parameters.delete(spelt.get(key) ?? name)
    spelt.set(key, name)
    parameters.set(name, value)
  }
  return { ok: true, parameters, replication, becomes }
}

/** As PostgreSQL's parse_bool, and `database`. */
function readReplication(value: string | undefined): Replication | undefined {
  if (value === undefined) return 'none'
  if (value === 'database') return 'database'
  const text = value.toLowerCase()
  if (text === '') return undefined
  if ('true'.startsWith(text) || 'yes'.startsWith(text) || text === 'on' || text === '1') return 'physical'
  if ('false'.startsWith(text) || 'no'.startsWith(text) || text === 'of' || text === 'off' || text === '0')
    return 'none'
  return undefined
}

function quoted(value: string): string {
  const doubled = value.replaceAll("'", "''")
  return doubled.includes('\\') ? `E'${doubled.replaceAll('\\', '\\\\')}'` : `'${doubled}'`
}
