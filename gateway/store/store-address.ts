import pg from 'pg'
import { z } from 'zod'

/** What is said of a store's address, never with the password in it. */

const Tls = z.union([
  z.boolean(),
  z.object({ rejectUnauthorized: z.boolean().optional(), checkServerIdentity: z.unknown().optional() }),
])

/** What the driver makes of an address, with what it takes from the environment. Reads the files that are named in it. */
function driverReads(url: string): { where: string; host: string; tls: z.infer<typeof Tls> } {
  const { host, port, database, ssl } = new pg.Client({ connectionString: url })
  const server = host.startsWith('/') ? host : `${host}:${port}`
  return { where: `${server}, database ${database ?? '(none)'}`, host, tls: Tls.parse(ssl) }
}

/** Why a store must not be used at this address; undefined where it may. `isLocal` knows the hosts that need no TLS. */
export function storeAddressProblem(url: string, isLocal: (host: string) => boolean): string | undefined {
  try {
    const { host, tls } = driverReads(url)
    if (host.startsWith('/') || isLocal(host)) return undefined
    const verified = tls === true || (tls !== false && tls.rejectUnauthorized !== false && !tls.checkServerIdentity)
    if (verified) return undefined
    return 'other machines are on the way to this store, so it must prove who it is. Add ?sslmode=verify-full (and &sslrootcert=FILE for a CA of your own)'
  } catch (error) {
    return `can’t be used: ${error instanceof Error ? error.message : String(error)}`
  }
}

/** The store can't be used, in words for who runs the gateway: which one, why, and what to do. */
export class StoreError extends Error {
  override readonly name = 'StoreError'
  constructor(url: string, cause: unknown) {
    const { reason, next } = whyNot(cause)
    super(`The store (${driverReads(url).where}) can’t be used: ${reason}. ${next}`, { cause })
  }
}

const Failure = z.object({ message: z.string(), code: z.string().optional(), errors: z.array(z.unknown()).optional() })

function whyNot(error: unknown): { reason: string; next: string } {
  const parsed = Failure.safeParse(error)
  if (!parsed.success) return { reason: String(error), next: 'Check the setting store.' }
  const { message, code, errors } = parsed.data
  // A name with several addresses: each has failed, the whole says nothing.
  if (message === '' && errors?.[0] !== undefined) return whyNot(errors[0])
  return { reason: message, next: advice(code, message) }
}

function advice(code: string | undefined, message: string): string {
  switch (code) {
    case 'ECONNREFUSED':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'ETIMEDOUT':
    case 'EHOSTUNREACH':
    case 'ENOENT':
      return 'Check host and port in the setting store, and that PostgreSQL runs there.'
    case '28P01':
      return 'Check user and password in the setting store.'
    case '28000':
      return message.includes('no encryption')
        ? 'Add ?sslmode=verify-full to its address in the setting store.'
        : 'Check the user in the setting store, and pg_hba.conf at the store.'
    case '3D000':
      return 'Create the database, empty and owned by the user that the setting store names.'
    case '42501':
      return 'The user has to own the database: ALTER DATABASE … OWNER TO ….'
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
      return 'Add &sslrootcert=FILE, with the CA that signed its certificate, to its address in the setting store.'
    default:
      return 'Check the setting store.'
  }
}
