import { createHmac, timingSafeEqual } from 'node:crypto'
import { ORPCError } from '@orpc/server'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { says } from '../../shared/unseen.ts'
import type { Caller } from '../api/context.ts'
import { peerAddress, problem, problemType } from '../http.ts'
import type { Requests } from '../requests/requests.ts'
import type { Identities, Log } from '../services.ts'
import type { NotifyConfig } from './config.ts'
import { post } from './senders.ts'

/** Slack's buttons. A press is the verdict of the person whom the configuration names for that Slack user, and of nobody else. */

export interface SlackDeps {
  config: NotifyConfig
  requests: Pick<Requests, 'review'>
  identities: Identities
  log: Log
  /** Seconds since 1970. */
  now?: () => number
}

const windowSeconds = 300
const maxBody = 256 * 1024

const Press = z.object({
  type: z.literal('block_actions'),
  user: z.object({ id: z.string() }),
  response_url: z.url().optional(),
  actions: z.array(z.object({ action_id: z.string(), value: z.string().max(64).optional() })).min(1),
  state: z
    .object({ values: z.record(z.string(), z.record(z.string(), z.object({ value: z.string().nullish() }))) })
    .optional(),
})
type Press = z.infer<typeof Press>

/** `POST /hooks/slack`, where there is a signing secret. */
export async function registerSlack(app: FastifyInstance, deps: SlackDeps): Promise<void> {
  const secret = deps.config.slack?.signingSecret
  if (secret === undefined) return
  const now = deps.now ?? (() => Math.floor(Date.now() / 1000))
  await app.register(async (scope) => {
    scope.removeAllContentTypeParsers()
    // The signature is over the bytes as they came.
    scope.addContentTypeParser('*', { parseAs: 'string', bodyLimit: maxBody }, (_request, body, done) =>
      done(null, body),
    )
    scope.post('/hooks/slack', async (request, reply) => {
      const refuse = (status: number, detail: string) =>
        reply
          .code(status)
          .type(problemType)
          .send(problem(status, status === 401 ? 'NOT_SIGNED_IN' : 'BAD_REQUEST', detail))
      const body = typeof request.body === 'string' ? request.body : ''
      if (!isFromSlack(secret, request.headers, body, now())) return refuse(401, 'This is not signed by Slack.')
      const press = pressOf(body)
      if (press === undefined) return refuse(400, 'This is not a button of ours.')
      const said = await decide(deps, press, peerAddress(request.raw))
      await answer(deps, press, said)
      return reply.code(200).type('text/plain').send('')
    })
  })
}

/** Slack's v0 signature, not older than five minutes. */
export function isFromSlack(
  secret: string,
  headers: Readonly<Record<string, string | string[] | undefined>>,
  body: string,
  now: number,
): boolean {
  const { 'x-slack-request-timestamp': stamp, 'x-slack-signature': signature } = headers
  if (typeof stamp !== 'string' || typeof signature !== 'string' || !/^\d{1,12}$/.test(stamp)) return false
  if (Math.abs(now - Number(stamp)) > windowSeconds) return false
  const expected = Buffer.from(`v0=${createHmac('sha256', secret).update(`v0:${stamp}:${body}`).digest('hex')}`)
  const given = Buffer.from(signature)
  return given.length === expected.length && timingSafeEqual(given, expected)
}

function pressOf(body: string): Press | undefined {
  try {
    const parsed = Press.safeParse(JSON.parse(new URLSearchParams(body).get('payload') ?? ''))
    return parsed.success ? parsed.data : undefined
  } catch {
    return undefined
  }
}

/** What to tell who pressed. */
async function decide(
  { config, requests, identities, log }: SlackDeps,
  press: Press,
  sourceIp: string,
): Promise<string> {
  const [action] = press.actions
  const verdict = action?.action_id
  const id = action?.value
  if ((verdict !== 'approve' && verdict !== 'deny') || id === undefined) return ''
  const login = Object.entries(config.people).find(([, person]) => person.slack === press.user.id)?.[0]
  const principal = login === undefined ? undefined : await identities.get(login)
  if (principal?.kind !== 'user') return 'This gateway does not know who you are. Open the request and decide there.'
  const reason = press.state?.values.reason?.reason?.value?.trim() ?? ''
  if (verdict === 'deny' && !says(reason, 1)) return 'Say why in the field above, then press Deny again.'
  // No sign-in stands behind a button: what takes a second factor is decided in the client.
  const caller: Caller = { principal, sourceIp, mfa: false, signInEndsAt: new Date().toISOString(), tokenId: 'slack' }
  try {
    const { state } = await requests.review(caller, id, verdict, reason)
    return state === 'pending' ? 'Your approval counts. It waits for others.' : `The request is ${state}.`
  } catch (error) {
    if (error instanceof ORPCError) return error.message
    log.error({ err: error, request: id }, 'a decision from Slack can’t be stored')
    return 'The gateway could not do this. Open the request and decide there.'
  }
}

/** To the one who pressed alone; nothing is lost when it can't be said. */
async function answer({ config, log }: SlackDeps, press: Press, text: string): Promise<void> {
  const { response_url: url } = press
  if (url === undefined || text === '') return
  const { origin } = new URL(url)
  if (origin !== 'https://hooks.slack.com' && origin !== new URL(config.slack?.api ?? '').origin) return
  try {
    const body = JSON.stringify({ response_type: 'ephemeral', replace_original: false, text })
    await post(url, body, { 'content-type': 'application/json' })
  } catch (error) {
    log.warn({ err: error }, 'an answer to Slack did not arrive')
  }
}
