import { z } from 'zod'
import { fail, ProblemError } from '../problem.ts'
import { unreachable, unreachableStatus } from './reach.ts'

/** A gateway, as its `/.well-known/sallyport` describes itself. `url` has no trailing slash. */
export interface GatewayInfo {
  url: string
  name: string
  version: string
  issuer: string
  api: string
}

const WellKnown = z.object({ name: z.string(), version: z.string(), issuer: z.url(), api: z.url() })
const timeoutMs = 10_000

export function isLoopback(hostname: string): boolean {
  return (
    hostname === 'localhost' ||
    hostname.endsWith('.localhost') ||
    hostname === '[::1]' ||
    /^127(\.\d{1,3}){3}$/.test(hostname)
  )
}

/**
 * The origin of a gateway address as people type it: `sallyport.example.com`, `https://…`, `localhost:8480`.
 * Plain HTTP is taken on loopback only; anything else throws `bad-input`.
 */
export function gatewayOrigin(typed: string): string {
  const text = typed.trim()
  if (text === '')
    throw fail('bad-input', 'No gateway address was given.', { hint: 'For example sallyport.example.com' })
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : withScheme(text))
  if (url === null || url.hostname === '' || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    throw fail('bad-input', `${text} is not a gateway address.`, { hint: 'For example https://sallyport.example.com' })
  }
  if (url.username !== '' || url.password !== '') {
    throw fail('bad-input', 'A gateway address carries no user name or password.')
  }
  if (url.protocol === 'http:' && !isLoopback(url.hostname)) {
    throw fail('bad-input', `${url.host} is not on this machine, and http:// would send the sign-in in the clear.`, {
      hint: `Use https://${url.host}`,
    })
  }
  return url.origin
}

function withScheme(text: string): string {
  const host = URL.parse(`https://${text}`)?.hostname ?? ''
  return `${isLoopback(host) ? 'http' : 'https'}://${text}`
}

/** Asks an address whether it is a gateway, and where its parts are. Throws `gateway-unreachable` or `bad-input`. */
export async function discoverGateway(typed: string, signal?: AbortSignal): Promise<GatewayInfo> {
  const origin = gatewayOrigin(typed)
  const body = await readWellKnown(origin, signal)
  const parsed = WellKnown.safeParse(body)
  if (!parsed.success) {
    throw fail('bad-input', `${origin} answers, but is not a Sallyport gateway.`, { hint: 'Check the address.' })
  }
  const { name, version, issuer, api } = parsed.data
  const home = gatewayOrigin(api)
  if (gatewayOrigin(issuer) !== home) {
    throw fail(
      'bad-input',
      `${origin} names a sign-in server on another host (${new URL(issuer).host}); it was not used.`,
    )
  }
  // A gateway may be reached by more than one name, but one that answers in the clear must not send us elsewhere.
  if (origin.startsWith('https:') && !home.startsWith('https:')) {
    throw fail('bad-input', `${origin} names ${home}, which is not encrypted; it was not used.`)
  }
  return { url: home, name, version, issuer, api: api.replace(/\/$/, '') }
}

async function readWellKnown(origin: string, signal: AbortSignal | undefined): Promise<unknown> {
  const timeout = AbortSignal.timeout(timeoutMs)
  try {
    const response = await fetch(`${origin}/.well-known/sallyport`, {
      redirect: 'error',
      headers: { accept: 'application/json' },
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
    })
    const text = await response.text()
    if (response.status >= 500) throw unreachableStatus(response.status, origin)
    return response.ok && text.length < 65_536 ? parseJson(text) : undefined
  } catch (error) {
    if (signal?.aborted || error instanceof ProblemError) throw error
    throw unreachable(error, origin)
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
