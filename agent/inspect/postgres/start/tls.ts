import { createHash } from 'node:crypto'
import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import * as tls from 'node:tls'
import type { ClientConfig } from 'pg'
import type { Target } from '../../../../shared/link.ts'
import { sslRequest } from './startup.ts'

export type PostgresTarget = Extract<Target, { kind: 'postgres' }>

/** What PostgreSQL's TLS carries, since PostgreSQL 17. Older ones don't look. */
const alpn = 'postgresql'

/** Node's TLS options for a target. */
function tlsOptions(target: PostgresTarget): tls.ConnectionOptions | undefined {
  switch (target.tls.mode) {
    case 'disable':
      return undefined
    case 'require':
      // As libpq's sslmode=require: encrypted, not verified. `verify-full` is what names the peer.
      return { ALPNProtocols: [alpn], rejectUnauthorized: false, ...clientCertificate(target.tls) }
    case 'verify-full': {
      const name = target.tls.servername ?? target.host
      return {
        ALPNProtocols: [alpn],
        rejectUnauthorized: true,
        servername: name,
        // Whatever a client library makes of the host, this is who it has to be.
        checkServerIdentity: (_: string, peer) => tls.checkServerIdentity(name, peer),
        ...(target.tls.ca === undefined ? {} : { ca: target.tls.ca }),
        ...clientCertificate(target.tls),
      }
    }
    default:
      return target.tls satisfies never
  }
}

/** The same for a connection of node-postgres. */
export function clientTls(
  target: PostgresTarget,
): Pick<ClientConfig, 'ssl' | 'sslnegotiation' | 'enableChannelBinding'> {
  const ssl = tlsOptions(target)
  if (ssl === undefined) return {}
  return { ssl, enableChannelBinding: true, ...(startsWithTls(target) ? { sslnegotiation: 'direct' } : {}) }
}

function startsWithTls({ tls: settings }: PostgresTarget): boolean {
  return settings.mode !== 'disable' && settings.negotiation === 'direct'
}

function clientCertificate({ cert, key }: { cert?: string; key?: string }): { cert?: string; key?: string } {
  return cert === undefined || key === undefined ? {} : { cert, key }
}

/**
 * What binds a sign-in to this TLS connection (`tls-server-end-point`, RFC 5929): the hash of the peer's certificate, by the hash
 * function of its signature, SHA-256 where that is weaker. Undefined: there is no TLS, or its signature has no such hash.
 */
export function channelBinding(stream: Duplex): Buffer | undefined {
  if (!(stream instanceof tls.TLSSocket)) return undefined
  const certificate = stream.getPeerX509Certificate()
  const algorithm = /(md5|sha1|sha224|sha256|sha384|sha512)/i.exec(certificate?.signatureAlgorithm ?? '')?.[1]
  if (certificate === undefined || algorithm === undefined) return undefined
  const hash = /md5|sha1$/i.test(algorithm) ? 'sha256' : algorithm.toLowerCase()
  return createHash(hash).update(certificate.raw).digest()
}

/**
 * Turns a fresh connection into one that is as secure as the target's settings ask.
 * Rejects when the target does not offer TLS, or is not who it should be; destroys `stream` then.
 */
export async function secure(stream: Duplex, target: PostgresTarget, signal: AbortSignal): Promise<Duplex> {
  const options = tlsOptions(target)
  if (options === undefined) return stream
  try {
    const direct = startsWithTls(target)
    if (!direct) {
      stream.write(sslRequest)
      const answer = await readAnswer(stream, signal)
      if (answer !== 'S') throw new Error('the target does not offer TLS, and this connection requires it')
    }
    const encrypted = tls.connect({ ...options, socket: stream })
    await Promise.race([once(encrypted, 'secureConnect', { signal }), hungUp(stream, signal)])
    // Nothing before it said that PostgreSQL is what answers.
    if (direct && encrypted.alpnProtocol !== alpn) throw new Error('the target does not speak PostgreSQL in direct TLS')
    return encrypted
  } catch (error) {
    stream.destroy()
    throw error
  }
}

/** One byte, and not one more: what a plaintext peer sends behind it would otherwise be read as if it were encrypted. */
async function readAnswer(stream: Duplex, signal: AbortSignal): Promise<string> {
  const [chunk] = await Promise.race([once(stream, 'data', { signal }), hungUp(stream, signal)])
  stream.pause()
  if (!Buffer.isBuffer(chunk) || chunk.length !== 1) throw new Error('the target sent bytes before TLS was set up')
  return chunk.toString('latin1')
}

async function hungUp(stream: Duplex, signal: AbortSignal): Promise<never> {
  await once(stream, 'close', { signal })
  throw new Error('the target hung up while TLS was set up')
}
