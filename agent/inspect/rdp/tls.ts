import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import * as tls from 'node:tls'
import type { Target } from '../../../shared/link.ts'
import { RdpError } from './frames.ts'

export type RdpTarget = Extract<Target, { kind: 'rdp' }>

/** PEM. */
export interface Identity {
  key: string
  certificate: string
}

/** TLS towards the client, with the inspector's own certificate. */
export async function secureClient(stream: Duplex, identity: Identity, signal: AbortSignal): Promise<tls.TLSSocket> {
  const secure = new tls.TLSSocket(stream, {
    isServer: true,
    key: identity.key,
    cert: identity.certificate,
    minVersion: 'TLSv1.2',
  })
  await orHungUp(once(secure, 'secure', { signal }), secure, stream, 'the client hung up while TLS was set up')
  return secure
}

/** TLS towards the target. Rejects unless its certificate is one that the connection trusts; nothing was sent by then. */
export async function secureTarget(stream: Duplex, target: RdpTarget, signal: AbortSignal): Promise<tls.TLSSocket> {
  const { tls: trust } = target
  const secure = tls.connect({
    socket: stream,
    minVersion: 'TLSv1.2',
    ...(trust.mode === 'pinned'
      ? { rejectUnauthorized: false }
      : {
          rejectUnauthorized: true,
          servername: trust.servername ?? target.host,
          checkServerIdentity: (_: string, peer: tls.PeerCertificate) =>
            tls.checkServerIdentity(trust.servername ?? target.host, peer),
          ...(trust.ca === undefined ? {} : { ca: trust.ca }),
        }),
  })
  await orHungUp(once(secure, 'secureConnect', { signal }), secure, stream, 'the target hung up while TLS was set up')
  if (trust.mode === 'pinned') {
    const { fingerprint256 } = secure.getPeerCertificate()
    if (!trust.certificates.includes(fingerprint256)) {
      secure.destroy()
      throw new RdpError(
        `the target showed the certificate ${fingerprint256}, which is not one that this connection trusts`,
      )
    }
  }
  return secure
}

async function orHungUp(wanted: Promise<unknown>, secure: Duplex, under: Duplex, why: string): Promise<void> {
  const left = Promise.withResolvers<never>()
  const hungUp = (): void => left.reject(new RdpError(why))
  under.once('close', hungUp)
  try {
    await Promise.race([wanted, left.promise])
    secure.on('error', () => secure.destroy())
  } catch (error) {
    secure.on('error', () => secure.destroy())
    secure.destroy()
    throw error
  } finally {
    under.off('close', hungUp)
  }
}
