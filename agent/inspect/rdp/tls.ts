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
  await orHungUp('secure', secure, stream, signal, 'the client hung up while TLS was set up')
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
  await orHungUp('secureConnect', secure, stream, signal, 'the target hung up while TLS was set up')
  if (trust.mode === 'pinned') {
    const { fingerprint256 } = secure.getPeerCertificate()
    if (!trust.certificates.includes(fingerprint256)) {
      secure.destroy()
      throw new RdpError(
        `the target showed the certificate ${fingerprint256}, which is not one that this connection trusts, and nothing was sent to it. If it was renewed, whoever keeps this connection checks it and adds it to tls.certificates of its target`,
      )
    }
  }
  return secure
}

/** Rejects with `why` when the other side hangs up instead, and with the signal's own reason when time is over. */
async function orHungUp(
  wanted: 'secure' | 'secureConnect',
  secure: Duplex,
  under: Duplex,
  signal: AbortSignal,
  why: string,
): Promise<void> {
  const left = Promise.withResolvers<never>()
  const hungUp = (): void => left.reject(new RdpError(why))
  under.once('close', hungUp)
  try {
    await Promise.race([once(secure, wanted, { signal }), left.promise])
    secure.on('error', () => secure.destroy())
  } catch (error) {
    secure.on('error', () => secure.destroy())
    secure.destroy()
    throw signal.aborted ? signal.reason : error
  } finally {
    under.off('close', hungUp)
  }
}
