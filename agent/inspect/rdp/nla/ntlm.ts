import { RdpError, Reader, u16, u32 } from '../frames.ts'
import { md4 } from './md4.ts'
import { Rc4 } from './rc4.ts'
import { hmacMd5 } from './seal.ts'

/**
 * NTLMv2 (MS-NLMP), as a client: NEGOTIATE goes out, CHALLENGE comes, AUTHENTICATE answers. Pure: time and randomness are given.
 * LM, NTLMv1, 40 and 56 bits are never agreed to.
 */
export interface Account {
  user: string
  domain: string
  password: string
}

const ntlmFlag = {
  unicode: 0x1,
  requestTarget: 0x4,
  sign: 0x10,
  seal: 0x20,
  ntlm: 0x200,
  alwaysSign: 0x8000,
  extendedSecurity: 0x80000,
  targetInfo: 0x800000,
  version: 0x2000000,
  bits128: 0x20000000,
  keyExchange: 0x40000000,
} as const
const needed = ntlmFlag.unicode | ntlmFlag.seal | ntlmFlag.extendedSecurity | ntlmFlag.bits128 | ntlmFlag.keyExchange
const wanted = needed | ntlmFlag.requestTarget | ntlmFlag.sign | ntlmFlag.ntlm | ntlmFlag.alwaysSign | ntlmFlag.version
const signature = Buffer.from('NTLMSSP\0', 'latin1')
/** Windows 10, NTLM revision 15: servers show it in their logs. */
const version = Buffer.from([10, 0, 0x61, 0x4a, 0, 0, 0, 15])
/** Attribute-value pairs of a target's information. */
const av = { end: 0, flags: 6, timestamp: 7, targetName: 9, channelBindings: 10 } as const
/** `av.flags`: the AUTHENTICATE message has a MIC. */
const hasMic = 2

export const negotiateMessage: Buffer = Buffer.concat([signature, u32(1), u32(wanted >>> 0), Buffer.alloc(16), version])

interface Challenge {
  flags: number
  serverChallenge: Buffer
  /** Attribute-value pairs, with their end. */
  targetInfo: Buffer
}

/** Throws RdpError on what is no CHALLENGE, or one that agrees to less than sealing with 128 bits. */
export function parseChallenge(message: Buffer): Challenge {
  const r = new Reader(message)
  if (!r.take(8).equals(signature) || r.u32() !== 2) throw new RdpError('the target answered with no NTLM challenge')
  r.take(8)
  const flags = r.u32()
  const serverChallenge = Buffer.from(r.take(8))
  r.take(8)
  const length = r.u16()
  r.u16()
  const at = r.u32()
  if ((flags & needed) !== needed)
    throw new RdpError('the target would seal the sign-in with less than NTLMv2 and 128 bits')
  if (at > message.length) throw new RdpError('a message ends in the middle of a field')
  return { flags: flags >>> 0, serverChallenge, targetInfo: Buffer.from(new Reader(message, at).take(length)) }
}

/** NTOWFv2: what stands for the password. */
export function responseKey({ user, domain, password }: Account): Buffer {
  return hmacMd5(md4(Buffer.from(password, 'utf16le')), Buffer.from(user.toUpperCase() + domain, 'utf16le'))
}

interface Proof {
  /** NTProofStr and what it is about. */
  response: Buffer
  sessionBaseKey: Buffer
}

/** NTLMv2_CLIENT_CHALLENGE, proved. `time`: 100 ns since 1601. */
export function prove(
  key: Buffer,
  serverChallenge: Buffer,
  clientChallenge: Buffer,
  time: bigint,
  info: Buffer,
): Proof {
  const stamp = Buffer.alloc(8)
  stamp.writeBigUInt64LE(time)
  const about = Buffer.concat([Buffer.from([1, 1, 0, 0, 0, 0, 0, 0]), stamp, clientChallenge, Buffer.alloc(4), info])
  const temp = Buffer.concat([about, Buffer.alloc(4)])
  const proof = hmacMd5(key, serverChallenge, temp)
  return { response: Buffer.concat([proof, temp]), sessionBaseKey: hmacMd5(key, proof) }
}

export interface Chance {
  /** 8 bytes. */
  clientChallenge: Buffer
  /** 16 bytes: what messages are sealed with. */
  sessionKey: Buffer
  /** 100 ns since 1601, where the target does not say what time it is. */
  time: bigint
}

/** The AUTHENTICATE message. `service` is whom it is meant for: `TERMSRV/host`. */
export function authenticateMessage(
  challengeMessage: Buffer,
  account: Account,
  service: string,
  chance: Chance,
): Buffer {
  const { flags, serverChallenge, targetInfo } = parseChallenge(challengeMessage)
  const pairs = pairsOf(targetInfo)
  const theirTime = pairs.get(av.timestamp)
  const withMic = theirTime?.length === 8
  if (withMic) pairs.set(av.flags, u32((pairs.get(av.flags)?.readUInt32LE() ?? 0) | hasMic))
  pairs.set(av.channelBindings, Buffer.alloc(16))
  pairs.set(av.targetName, Buffer.from(service, 'utf16le'))
  const time = withMic && theirTime !== undefined ? theirTime.readBigUInt64LE() : chance.time
  const key = responseKey(account)
  const proof = prove(key, serverChallenge, chance.clientChallenge, time, written(pairs))
  const lm = withMic
    ? Buffer.alloc(24)
    : Buffer.concat([hmacMd5(key, serverChallenge, chance.clientChallenge), chance.clientChallenge])
  const encryptedKey = new Rc4(proof.sessionBaseKey).apply(chance.sessionKey)
  const fields = [
    lm,
    proof.response,
    Buffer.from(account.domain, 'utf16le'),
    Buffer.from(account.user, 'utf16le'),
    Buffer.alloc(0),
    encryptedKey,
  ]
  const message = authenticate(fields, (flags & (wanted | ntlmFlag.targetInfo)) >>> 0)
  if (withMic) hmacMd5(chance.sessionKey, negotiateMessage, challengeMessage, message).copy(message, micAt)
  return message
}

const micAt = 72
const headerBytes = 88

function authenticate(fields: readonly Buffer[], flags: number): Buffer {
  let at = headerBytes
  const places = fields.map(({ length }) => {
    const place = Buffer.concat([u16(length), u16(length), u32(at)])
    at += length
    return place
  })
  return Buffer.concat([signature, u32(3), ...places, u32(flags), version, Buffer.alloc(16), ...fields])
}

function pairsOf(info: Buffer): Map<number, Buffer> {
  const pairs = new Map<number, Buffer>()
  const r = new Reader(info)
  while (r.left > 0) {
    const id = r.u16()
    const value = r.take(r.u16())
    if (id === av.end) break
    if (id === av.flags && value.length !== 4) throw new RdpError('the target’s NTLM challenge is not as it should be')
    pairs.set(id, value)
  }
  return pairs
}

function written(pairs: ReadonlyMap<number, Buffer>): Buffer {
  return Buffer.concat([
    ...[...pairs].flatMap(([id, value]) => [u16(id), u16(value.length), value]),
    u16(av.end),
    u16(0),
  ])
}
