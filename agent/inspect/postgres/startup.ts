import type { Duplex } from 'node:stream'
import { FrameError, readInt32 } from './frames.ts'
import { cstring, int32, message, zeroAt } from './messages.ts'

/**
 * What a client says before it is anybody. Packets without a type byte:
 *
 *   length:int32 80877103                       SSLRequest      answered N: the tunnel or listener is what encrypts
 *   length:int32 80877104                       GSSENCRequest   answered N
 *   length:int32 80877102 pid:int32 secret      CancelRequest
 *   length:int32 3<<16|minor (name\0 value\0)* \0   StartupMessage
 */
const codes = { cancel: 80877102, ssl: 80877103, gssenc: 80877104 } as const

/** As PostgreSQL's MAX_STARTUP_PACKET_LENGTH. */
const longest = 10_000

export type Opening =
  | { kind: 'cancel'; processId: number; secret: Uint8Array }
  | { kind: 'startup'; minor: number; parameters: ReadonlyMap<string, string>; rest: Buffer }

/** Reads up to the StartupMessage or CancelRequest. Rejects with FrameError, or when the client leaves or `signal` fires. */
export function readOpening(client: Duplex, signal: AbortSignal): Promise<Opening> {
  return new Promise((resolve, reject) => {
    let held: Buffer = Buffer.alloc(0)
    const asked = new Set<number>()
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
          const packet = readPacket(held)
          if (packet === undefined) return
          held = held.subarray(packet.size)
          if (packet.kind === 'encryption') {
            if (asked.has(packet.code)) throw new FrameError('encryption was asked for twice')
            asked.add(packet.code)
            client.write('N')
            continue
          }
          const { size: _, ...opening } = packet
          settle(() => resolve(opening.kind === 'startup' ? { ...opening, rest: held } : opening))
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

type Packet =
  | { kind: 'encryption'; size: number; code: number }
  | { kind: 'cancel'; size: number; processId: number; secret: Uint8Array }
  | { kind: 'startup'; size: number; minor: number; parameters: ReadonlyMap<string, string> }

/** Undefined: not whole yet. */
export function readPacket(buf: Buffer): Packet | undefined {
  if (buf.length < 8) return undefined
  const size = readInt32(buf, 0)
  if (size < 8 || size > longest) throw new FrameError(`a start-up packet of length ${size}`)
  if (buf.length < size) return undefined
  const code = readInt32(buf, 4)
  if (code === codes.ssl || code === codes.gssenc) return { kind: 'encryption', size, code }
  if (code === codes.cancel) {
    if (size < 13) throw new FrameError('a cancel request without a key')
    return { kind: 'cancel', size, processId: readInt32(buf, 8), secret: Buffer.from(buf.subarray(12, size)) }
  }
  if (code >> 16 !== 3) throw new FrameError(`protocol version ${code >>> 16}.${code & 0xffff}; this door speaks 3.0`)
  const parameters = new Map<string, string>()
  let at = 8
  while (at < size && buf[at] !== 0) {
    const nameEnd = zeroAt(buf, at, size)
    const valueEnd = zeroAt(buf, nameEnd + 1, size)
    parameters.set(buf.toString('utf8', at, nameEnd), buf.toString('utf8', nameEnd + 1, valueEnd))
    at = valueEnd + 1
  }
  return { kind: 'startup', size, minor: code & 0xffff, parameters }
}

/** A StartupMessage of protocol 3.0. */
export function writeStartup(parameters: Iterable<readonly [string, string]>): Buffer {
  const parts: Buffer[] = [int32(3 << 16)]
  for (const [name, value] of parameters) parts.push(cstring(name), cstring(value))
  parts.push(Buffer.from([0]))
  const body = Buffer.concat(parts)
  return Buffer.concat([int32(body.length + 4), body])
}

export function writeCancel(processId: number, secret: Uint8Array): Buffer {
  return Buffer.concat([int32(12 + secret.length), int32(codes.cancel), int32(processId), secret])
}

export const sslRequest = Buffer.concat([int32(8), int32(codes.ssl)])

/** NegotiateProtocolVersion: what the client asked for beyond 3.0 is not spoken here. */
export function negotiateVersion(minor: number, parameters: ReadonlyMap<string, string>): Buffer | undefined {
  const unknown = [...parameters.keys()].filter((name) => name.startsWith('_pq_.'))
  if (minor === 0 && unknown.length === 0) return undefined
  return message(0x76, int32(3 << 16), int32(unknown.length), ...unknown.map(cstring))
}

/** Set on our own terms, whatever the client says: the meaning of every statement hangs on them. */
const pinned = new Map([['standard_conforming_strings', 'on']])

const ours = new Set(['user', 'database', 'replication', 'options'])

export type TargetParameters = { ok: true; parameters: Map<string, string> } | { ok: false; message: string }

/**
 * The start-up parameters that go to the target: the client's own settings, `options` taken apart,
 * and nothing that would sign in as another, open replication or change how statements are read.
 */
export function targetParameters(
  asked: ReadonlyMap<string, string>,
  target: { user: string; database: string },
): TargetParameters {
  const replication = asked.get('replication')
  if (replication !== undefined && !/^(false|off|no|0)$/i.test(replication)) {
    return { ok: false, message: 'Replication is not open through this door.' }
  }
  const parameters = new Map<string, string>([
    ['user', target.user],
    ['database', target.database],
  ])
  const settings: (readonly [string, string])[] = []
  for (const [name, value] of asked) {
    if (!ours.has(name) && !name.startsWith('_pq_.')) settings.push([name, value])
  }
  const options = readOptions(asked.get('options') ?? '')
  if (options === undefined) {
    return { ok: false, message: 'Start-up options other than -c name=value and --name=value are not passed on.' }
  }
  for (const [name, value] of [...settings, ...options]) {
    const key = name.toLowerCase()
    const fixed = pinned.get(key)
    if (fixed !== undefined && value.toLowerCase() !== fixed) {
      return { ok: false, message: `${name} is kept ${fixed} here, because it changes how statements are read.` }
    }
    // Policy decides on SET ROLE, and would not be asked here.
    const another = key === 'role' && value.toLowerCase() !== 'none'
    if (key === 'session_authorization' || another)
      return { ok: false, message: `${name} cannot be set at start-up here.` }
    parameters.set(name, value)
  }
  for (const [name, value] of pinned) parameters.set(name, value)
  return { ok: true, parameters }
}

/** `-c name=value`, `-cname=value` and `--name=value`, split as PostgreSQL does; undefined when there is anything else. */
export function readOptions(options: string): (readonly [string, string])[] | undefined {
  const words: string[] = []
  for (const match of options.matchAll(/(?:\\[\s\S]|[^\s\\])+/g)) words.push(match[0].replaceAll(/\\([\s\S])/g, '$1'))
  const settings: (readonly [string, string])[] = []
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? ''
    let setting: string
    if (word === '-c') setting = words[++i] ?? ''
    else if (word.startsWith('-c')) setting = word.slice(2)
    else if (word.startsWith('--')) setting = word.slice(2)
    else return undefined
    const equals = setting.indexOf('=')
    if (equals < 1) return undefined
    settings.push([setting.slice(0, equals).replaceAll('-', '_'), setting.slice(equals + 1)])
  }
  return settings
}
