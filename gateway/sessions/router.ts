import { ORPCError } from '@orpc/server'
import type { Refusal as Refused } from '../../shared/api/problem.ts'
import { api } from '../api/context.ts'
import { stepUpError } from '../api/step-up.ts'
import { newId } from '../secrets.ts'
import type { Tokens } from '../tokens.ts'
import { type AdmissionDeps, admit, type Refusal } from './admission.ts'
import { rdpCredential } from './rdp.ts'
import type { Sessions } from './registry.ts'
import type { SessionView } from './view.ts'

export interface SessionsRouterDeps extends AdmissionDeps {
  sessions: Sessions
  view: SessionView
  tokens: Tokens
  /** The inspector's SSH host key, `SHA256:…`. */
  sshHostKey: string
  /** SHA-256 of the RDP inspector's certificate, `AA:BB:…`. */
  rdpCertificate: string
}

export const tunnelPath = '/api/v1/tunnel'

export function sessionsRouter(deps: SessionsRouterDeps) {
  const { sessions, view, tokens, connections, sshHostKey, rdpCertificate } = deps
  const unknown = (id: string) => ({ message: `There is no session ${id}, or it is not yours to see.` })
  return {
    list: api.sessions.list.handler(({ context: { caller }, input }) => view.list(caller, input)),

    get: api.sessions.get.handler(async ({ context: { caller }, input, errors }) => {
      const session = await view.find(caller, input.id)
      if (session === undefined) throw errors.NOT_FOUND(unknown(input.id))
      return session
    }),

    open: api.sessions.open.handler(async ({ context: { caller }, input, errors }) => {
      const { principal, sourceIp, mfa, device, tokenId } = caller
      const admission = admit(deps, { principal, context: { sourceIp, mfa } }, input.connection)
      if (!admission.ok) throw refusal(admission)
      if (input.purpose === 'catalog' && admission.connection.ref.kind !== 'postgres') {
        throw errors.NOT_FOUND({ message: `${input.connection} has no catalog to read.` })
      }
      // Said here, where a client can show it; the tunnel asks again.
      const full = sessions.room(input.connection, principal.id)
      if (full !== undefined) throw errors.CONFLICT({ message: `${full.message} ${full.hint}` })
      const sessionId = newId('ses')
      const { secret, expiresAt } = await tokens.issueTicket({
        principal,
        connection: input.connection,
        accessTokenId: tokenId,
        mfa,
        sessionId,
        door: input.door,
        annotations: input.annotations,
        purpose: input.purpose,
        sourceIp,
        device,
      })
      return {
        sessionId,
        tunnel: tunnelPath,
        ticket: secret,
        expiresAt: expiresAt.toISOString(),
        ...(admission.connection.ref.kind === 'ssh' ? { hostKey: sshHostKey } : {}),
        ...(admission.connection.ref.kind === 'rdp'
          ? { rdp: { certificate: rdpCertificate, ...rdpCredential(secret) } }
          : {}),
      }
    }),

    cancel: api.sessions.cancel.handler(async ({ context: { caller }, input, errors }) => {
      const { connection, processId, digest } = input
      const { principal, sourceIp, mfa } = caller
      const ref = connections.get(connection)?.ref
      // Whoever may not know of a connection learns nothing of it here either, and writes nothing about it into the audit log.
      if (ref === undefined || deps.agent.decide(principal, 'connect', ref, { sourceIp, mfa }).verdict === 'block') {
        throw errors.NOT_FOUND({ message: `There is no connection ${connection}, or it is not open to you.` })
      }
      await sessions.cancel({ processId, digest: Buffer.from(digest, 'base64') }, caller.principal.id, connection)
      return {}
    }),

    kill: api.sessions.kill.handler(async ({ context: { caller }, input, errors }) => {
      const before = await view.find(caller, input.id)
      if (before === undefined) throw errors.NOT_FOUND(unknown(input.id))
      if (before.state === 'ended') throw errors.CONFLICT({ message: 'This session has ended already.' })
      if (!before.canKill) throw errors.FORBIDDEN({ message: 'You may watch this session, and not end it.' })
      await sessions.kill(input.id, caller.principal.id, input.reason)
      return (await view.find(caller, input.id)) ?? before
    }),
  }
}

/** A refusal as a problem: the policy in words; `data` lets a client offer to ask for access. */
export function refusal(admission: Refusal): ORPCError<string, unknown> {
  const message = `${admission.message} ${admission.hint}`
  switch (admission.kind) {
    case 'unknown':
      return new ORPCError('NOT_FOUND', { message })
    case 'blocked':
      return new ORPCError('FORBIDDEN', {
        message,
        data: { policy: admission.policy, requestable: false } satisfies Refused,
      })
    case 'step-up':
      return stepUpError(message, {})
    case 'held':
      return new ORPCError('FORBIDDEN', {
        message,
        data: { policy: admission.policy, requestable: true, approval: admission.approval } satisfies Refused,
      })
  }
}
