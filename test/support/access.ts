import { z } from 'zod'
import type { Ready } from './demo.ts'

/** How tests speak to the gateway as a machine: OAuth client credentials and plain HTTP, nothing of the client core. */
export type Role = 'engineer' | 'dba' | 'oncall' | 'contractor' | 'auditor'

const Discovery = z.object({ issuer: z.url() })
const Endpoints = z.object({ token_endpoint: z.url() })
const Token = z.object({ access_token: z.string() })
const SessionToken = z.object({
  host: z.string(),
  port: z.number(),
  user: z.string(),
  database: z.string().optional(),
  token: z.string(),
})
export type SessionToken = z.infer<typeof SessionToken>

export async function accessToken(demo: Ready, role: Role): Promise<string> {
  const machine = demo.machines[role]
  if (machine === undefined) throw new Error(`no machine for ${role}`)
  const { issuer } = Discovery.parse(await json(`${demo.gateway}/.well-known/sallyport`))
  const { token_endpoint } = Endpoints.parse(await json(`${issuer}/.well-known/openid-configuration`))
  const body = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: machine.clientId,
    client_secret: machine.clientSecret,
  })
  return Token.parse(await json(token_endpoint, { method: 'POST', body })).access_token
}

/** One call of the gateway API; the body is what it answers, whatever the status. */
export async function call(
  demo: Ready,
  role: Role,
  method: string,
  path: string,
  body?: unknown,
): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`${demo.gateway}/api/v1${path}`, {
    method,
    headers: {
      authorization: `Bearer ${await accessToken(demo, role)}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  return { status: response.status, body: text === '' ? undefined : JSON.parse(text) }
}

/** A session token for the native listeners. */
export async function sessionToken(demo: Ready, role: Role, connection: string): Promise<SessionToken> {
  const answer = await call(demo, role, 'POST', `/connections/${connection}/tokens`, {})
  if (answer.status !== 201) throw new Error(`no token for ${role} on ${connection}: ${JSON.stringify(answer.body)}`)
  return SessionToken.parse(answer.body)
}

async function json(url: string, init?: RequestInit): Promise<unknown> {
  const response = await fetch(url, init)
  const text = await response.text()
  if (!response.ok) throw new Error(`${url}: ${response.status} ${text}`)
  return JSON.parse(text)
}
