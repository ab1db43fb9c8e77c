import { codeOf, fail, messageOf, type ProblemError } from '../problem.ts'

/** What went wrong on the way to a gateway, in words, and what helps. */
interface Unreached {
  why: string
  hint: string
}

const network = 'Check the address and the network.'
const certificate = 'Ask whoever runs the gateway. Nothing was sent.'

const noTls: Unreached = { why: 'it does not speak TLS there', hint: 'Check the port.' }
const unknownSigner: Unreached = {
  why: 'its certificate is signed by nobody that this computer trusts',
  hint: 'Where your company has a CA of its own, name its file in NODE_EXTRA_CA_CERTS; else ask whoever runs the gateway. Nothing was sent.',
}

const known: Readonly<Record<string, Unreached>> = {
  ENOTFOUND: {
    why: 'no such name is known',
    hint: 'Check the address, and that you are in the network that knows it.',
  },
  EAI_AGAIN: { why: 'names can’t be looked up now', hint: 'Check the network.' },
  ECONNREFUSED: { why: 'nothing answers at that port', hint: network },
  ECONNRESET: { why: 'it closed the connection', hint: network },
  UND_ERR_SOCKET: { why: 'it closed the connection', hint: network },
  ENETUNREACH: { why: 'there is no way to that network', hint: 'Check the network, or the VPN.' },
  EHOSTUNREACH: { why: 'there is no way to that host', hint: 'Check the network, or the VPN.' },
  ETIMEDOUT: { why: 'it did not answer in time', hint: network },
  UND_ERR_CONNECT_TIMEOUT: { why: 'it did not answer in time', hint: network },
  ERR_SSL_WRONG_VERSION_NUMBER: noTls,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: noTls,
  CERT_HAS_EXPIRED: { why: 'its certificate has expired', hint: certificate },
  CERT_NOT_YET_VALID: { why: 'its certificate is not valid yet', hint: 'Check the clock of this computer.' },
  ERR_TLS_CERT_ALTNAME_INVALID: { why: 'its certificate is for another name', hint: certificate },
  DEPTH_ZERO_SELF_SIGNED_CERT: unknownSigner,
  SELF_SIGNED_CERT_IN_CHAIN: unknownSigner,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: unknownSigner,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: unknownSigner,
}

/**
 * Whether an error is about the way to the gateway (or about what stands before it), and not of what was asked there: as `fetch` and
 * openid-client throw it.
 */
export function isUnreached(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) {
    if (at.name === 'TimeoutError' || statusOf(at) !== undefined) return true
    const code = codeOf(at) ?? ''
    if (code in known || /^E[A-Z]+$/.test(code)) return true
  }
  return false
}

/** Of an answer that says that there is no gateway to answer: from a proxy before it, say. */
function statusOf({ cause }: Error): number | undefined {
  return cause instanceof Response && cause.status >= 500 ? cause.status : undefined
}

/** That what answers there answered with an error of its own. */
export function unreachableStatus(status: number, gateway?: string): ProblemError {
  return unreachable(new Error('no answer', { cause: new Response(null, { status }) }), gateway)
}

/** For whatever a request to a gateway threw. `gateway`: what it is called in the words. */
export function unreachable(error: unknown, gateway = 'The gateway'): ProblemError {
  const { why, hint } = unreached(error)
  return fail('gateway-unreachable', `${gateway} can't be reached: ${why}.`, { hint, action: 'retry', cause: error })
}

/** What is not known keeps its own words. */
function unreached(error: unknown): Unreached {
  for (let at = error; at instanceof Error; at = at.cause) {
    if (at.name === 'TimeoutError') return { why: 'it did not answer in time', hint: network }
    const status = statusOf(at)
    if (status !== undefined) {
      return { why: `it answered with an error of its own (HTTP ${status})`, hint: 'Try again in a minute.' }
    }
    const found = known[codeOf(at) ?? '']
    if (found !== undefined) return found
    if (at instanceof AggregateError && at.errors.length > 0) return unreached(at.errors[0])
    // OpenSSL's own line, with file and number, helps nobody.
    if (at.message.includes('wrong version number')) return noTls
  }
  return { why: messageOf(error), hint: network }
}
