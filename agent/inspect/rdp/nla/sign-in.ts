import { randomBytes } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import { RdpError } from '../frames.ts'
import { readMessage } from '../read-pdu.ts'
import type { RdpTarget } from '../tls.ts'
import { NlaClient } from './credssp.ts'
import { valueLength } from './der.ts'

/** Longest message of a target before it has let us in. */
const limit = 16_384
/** From 1601, when Windows began to count, to 1970; in milliseconds. */
const since1601 = 11_644_473_600_000n

/** What some targets do where others send a status. */
const refusal = 'the target hung up instead of taking the user and password that this connection has for it'

/** Network Level Authentication, with the target's own credential. Rejects unless the target proved that it knows it too. */
export async function signInByNla(stream: TLSSocket, target: RdpTarget, signal: AbortSignal): Promise<void> {
  const certificate = stream.getPeerX509Certificate()
  if (certificate === undefined) throw new RdpError('the target showed no certificate')
  const nla = new NlaClient({
    account: { user: target.user, domain: target.domain, password: target.password },
    service: `TERMSRV/${target.host}`,
    publicKeyInfo: certificate.publicKey.export({ type: 'spki', format: 'der' }),
    chance: {
      clientChallenge: randomBytes(8),
      sessionKey: randomBytes(16),
      nonce: randomBytes(32),
      time: (BigInt(Date.now()) + since1601) * 10_000n,
    },
  })
  const read = (hungUp?: string): Promise<Buffer> => {
    const words = hungUp === undefined ? {} : { hungUp }
    return readMessage(stream, { signal, limit, more: true, who: 'target', ...words }, lengthOf)
  }
  stream.write(nla.begin())
  let step = nla.next(await read())
  while (!step.done) {
    stream.write(step.send)
    step = nla.next(await read(refusal))
  }
  stream.write(step.send)
}

function lengthOf(read: Buffer): number | undefined {
  const length = valueLength(read)
  if (length !== undefined && length > limit) throw new RdpError('the target sent a sign-in message that is too long')
  return length
}
