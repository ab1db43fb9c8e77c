import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from 'jose'
import type { z } from 'zod'

/** For tests: a browser's cookies, and a client's key, both by hand, so that a test can get each of them wrong. */

export class Browser {
  /** By host and port? No: browsers share cookies between the ports of a host, and so does this. */
  readonly cookies = new Map<string, { value: string; path: string }>()

  /** One request, redirects not followed. */
  async request(url: string, init: RequestInit = {}): Promise<Response> {
    const { pathname } = new URL(url)
    const cookie = [...this.cookies]
      .filter(([, { path }]) => pathname === path || pathname.startsWith(path.endsWith('/') ? path : `${path}/`))
      .map(([name, { value }]) => `${name}=${value}`)
      .join('; ')
    const headers = new Headers(init.headers)
    headers.set('accept', 'text/html')
    if (cookie !== '') headers.set('cookie', cookie)
    const response = await fetch(url, { ...init, headers, redirect: 'manual' })
    for (const line of response.headers.getSetCookie()) this.#store(line)
    return response
  }

  /** Follows redirects for as long as `goOn` says, and returns the last answer with the address it came from. */
  async follow(url: string, goOn: (url: URL) => boolean = () => true): Promise<{ url: string; response: Response }> {
    let at = url
    for (let hop = 0; hop < 15; hop += 1) {
      const response = await this.request(at)
      const location = response.headers.get('location')
      if (location === null) return { url: at, response }
      const next = new URL(location, at)
      if (!goOn(next)) return { url: next.href, response }
      at = next.href
    }
    throw new Error(`too many redirects at ${at}`)
  }

  #store(line: string): void {
    const [pair = '', ...flags] = line.split(';').map((part) => part.trim())
    const equals = pair.indexOf('=')
    const name = pair.slice(0, equals)
    const path = flags.find((flag) => flag.toLowerCase().startsWith('path='))?.slice(5) ?? '/'
    const gone = flags.some((flag) => /^max-age=0$/i.test(flag) || /^expires=thu, 01 jan 1970/i.test(flag))
    if (gone) this.cookies.delete(name)
    else this.cookies.set(name, { value: pair.slice(equals + 1), path })
  }
}

export interface ClientKey {
  thumbprint: string
  proof(method: string, url: string, options?: { accessToken?: string; jti?: string; iat?: number }): Promise<string>
}

export async function newClientKey(): Promise<ClientKey> {
  const { privateKey, publicKey } = await generateKeyPair('ES256')
  const jwk = await exportJWK(publicKey)
  return {
    thumbprint: await calculateJwkThumbprint(jwk),
    proof: (htm, htu, { accessToken, jti = randomUUID(), iat = Math.floor(Date.now() / 1000) } = {}) =>
      new SignJWT({
        htm,
        htu,
        jti,
        iat,
        ...(accessToken === undefined ? {} : { ath: createHash('sha256').update(accessToken).digest('base64url') }),
      })
        .setProtectedHeader({ typ: 'dpop+jwt', alg: 'ES256', jwk })
        .sign(privateKey),
  }
}

export function newPkce(): { verifier: string; challenge: string } {
  const verifier = randomBytes(32).toString('base64url')
  return { verifier, challenge: createHash('sha256').update(verifier).digest('base64url') }
}

/** The answer's body as what it should be. */
export async function jsonOf<T extends z.ZodType>(response: Response, schema: T): Promise<z.infer<T>> {
  return schema.parse(await response.json())
}
