import { RdpError, Reader, u16, u32 } from './frames.ts'

/**
 * The Client Info PDU, in which a client signs in:
 * `flags:u16 flagsHi:u16 | codePage:u32 flags:u32 | five lengths:u16 | five strings, each with its end | extended part`.
 */
export interface ClientInfo {
  username: string
  password: string
  /** To be written again. */
  readonly codePage: number
  readonly flags: number
  /** Address, time zone, session, performance flags; empty where there is none. */
  readonly extended: Buffer
}

export const infoPacket = 0x0040
const flag = {
  autoLogon: 0x8,
  unicode: 0x10,
  compression: 0x80,
  compressionType: 0x1e00,
  remoteApp: 0x8000,
  savedSession: 0x100000,
  noAudio: 0x80000,
  audioCapture: 0x200000,
} as const
/** Longest name, password, program: in bytes, with room for what clients send. */
const longest = 1024

/** `data` is what the I/O channel carries, security header included. */
export function parseClientInfo(data: Buffer): ClientInfo {
  const r = new Reader(data)
  const security = r.u16()
  r.u16()
  if ((security & infoPacket) === 0 || (security & 0x8) !== 0) throw new RdpError('the client does not sign in')
  const codePage = r.u32()
  const flags = r.u32()
  const unicode = (flags & flag.unicode) !== 0
  const width = unicode ? 2 : 1
  const lengths = [r.u16(), r.u16(), r.u16(), r.u16(), r.u16()]
  const [, username = '', password = ''] = lengths.map((length) => {
    if (length > longest || length % width !== 0) throw new RdpError('a name in the sign-in is too long')
    const text = r.take(length).toString(unicode ? 'utf16le' : 'latin1')
    r.take(width)
    return text
  })
  return { username, password, codePage, flags, extended: r.rest() }
}

/** The PDU for the target: signed in with the target's own credential, no program of the client's, nothing compressed. */
export function clientInfo(
  info: ClientInfo,
  as: { domain: string; user: string; password: string },
  audio: boolean,
): Buffer {
  const flags =
    ((info.flags & ~(flag.compression | flag.compressionType | flag.remoteApp | flag.savedSession)) |
      flag.autoLogon |
      flag.unicode |
      (audio ? 0 : flag.noAudio)) &
    (audio ? ~0 : ~flag.audioCapture)
  const strings = [as.domain, as.user, as.password, '', ''].map((text) => Buffer.from(text, 'utf16le'))
  return Buffer.concat([
    u16(infoPacket),
    u16(0),
    u32(info.codePage),
    u32(flags >>> 0),
    ...strings.map((text) => u16(text.length)),
    ...strings.flatMap((text) => [text, u16(0)]),
    withoutReconnect(info.extended, (info.flags & flag.unicode) !== 0),
  ])
}

/**
 * The extended part up to the performance flags: behind them is the cookie of an automatic reconnection, with which a client
 * would come back to a session without signing in. What can't be read is left out, which every server takes.
 */
function withoutReconnect(extended: Buffer, unicode: boolean): Buffer {
  const r = new Reader(extended)
  try {
    if (!unicode || r.left === 0) return Buffer.alloc(0)
    r.u16()
    r.take(r.u16())
    r.take(r.u16())
    r.take(172)
    r.u32()
    r.u32()
    return Buffer.concat([extended.subarray(0, r.at), u16(0)])
  } catch (error) {
    if (error instanceof RdpError) return Buffer.alloc(0)
    throw error
  }
}
