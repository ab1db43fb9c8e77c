import { createHash } from 'node:crypto'
import { ORPCError } from '@orpc/server'
import { reasonFits } from '../../policy/reason.ts'
import type { NewRequest } from '../../shared/api/models.ts'
import type { ConnectionRef } from '../../shared/connection.ts'
import type { Approval } from '../../shared/decision.ts'
import type { Held, HoldRequest } from '../../shared/link.ts'
import type { Principal } from '../../shared/principal.ts'
import type { Caller } from '../api/context.ts'
import { liftedByMfa, stepUpError } from '../api/step-up.ts'
import type { GrantBook } from '../grants/grants.ts'
import { newId } from '../secrets.ts'
import type { Connections, LocalAgent } from '../services.ts'
import { json } from '../store/database.ts'
import type { Sealer } from '../store/seal.ts'
import { reasonOf } from '../text.ts'
import { weighAsk } from './ask.ts'
import { badReason, type Decider } from './decide.ts'
import type { Endings } from './endings.ts'
import { longestSeconds, redactedContext, textContext } from './rows.ts'
import type { RowsAtTarget } from './rows-at-target.ts'
import type { RequestStore } from './store.ts'

export interface AskingOptions {
  sealer: Sealer
  grants: GrantBook
  agent: Pick<LocalAgent, 'access' | 'decide'>
  connections: Connections
  clock: { now(): Date }
  stored: RequestStore
  decider: Decider
  endings: Endings
  rows: RowsAtTarget
  /** Seconds that a held request waits at most, where that is less than policy says. */
  holdSeconds?: number
}

/** Where a held request comes from. */
export interface HoldOrigin {
  sessionId: string
  principal: Principal
  connection: ConnectionRef
  sourceIp: string
  mfa: boolean
  client: 'desktop' | 'cli' | 'endpoint' | 'native'
  /** The computer, as its client calls it. */
  device?: string | undefined
}

const grantWait = { least: 1_800, most: 86_400 }
const furthestStartMs = 30 * 86_400_000
/** Requests of one person that may wait at once. */
const pendingLimit = 50
/** Times that one person may ask for access: each is told to all who review. */
const askLimit = { times: 200, ms: 600_000 }

/** How requests come to be: a statement that is held, or access that is asked for. */
export class Asking {
  readonly #options: AskingOptions

  constructor(options: AskingOptions) {
    this.#options = options
  }

  /** Holds one exact statement or command of a session. Rejects when it can't be stored: then it is not run. */
  async hold(origin: HoldOrigin, request: HoldRequest): Promise<Held> {
    const { sealer, endings, rows, stored } = this.#options
    const { approval } = request
    const id = newId('req')
    const { holdSeconds = Number.POSITIVE_INFINITY } = this.#options
    const expiresAt = this.#after(Math.min(approval.expirySeconds ?? approval.windowSeconds, holdSeconds))
    const reason = reasonOf(request.reason ?? '')
    // Before it is stored: somebody may decide the moment it is.
    const left = expiresAt.getTime() - this.#options.clock.now().getTime()
    const outcome = endings.waiting.wait(id, left, () => endings.quietly(endings.expireDue()))
    const inserted = stored.insert(
      origin.principal,
      origin.connection,
      {
        id,
        kind: 'once',
        reason,
        policy: json(request.policy),
        approval: json(approval),
        session_id: origin.sessionId,
        action: request.action,
        text_sealed: sealer.seal(request.text, textContext(id)),
        text_sha256: createHash('sha256').update(request.text).digest('hex'),
        tables: json(request.tables),
        columns: json(request.columns ?? []),
        hidden_classes: json(request.hiddenClasses ?? []),
        redacted_sealed: sealer.seal(request.redacted ?? '', redactedContext(id)),
        binding: json(request.binding),
        actions: json([]),
        data_classes: json([]),
        duration_seconds: null,
        source_ip: origin.sourceIp,
        mfa: origin.mfa,
        client: origin.client,
        device: origin.device ?? null,
        expires_at: expiresAt,
      },
      this.#rule(approval, reason),
    )
    try {
      await inserted
    } catch (error) {
      endings.waiting.settle(id, { kind: 'cancelled' })
      throw error
    }
    if (approval.auto !== undefined) await endings.settle([id])
    else void rows.plan(id, origin.connection.name, request.text, request.binding.search_path ?? '')
    return {
      requestId: id,
      expiresAt: expiresAt.toISOString(),
      outcome,
      cancel: () => {
        endings.waiting.settle(id, { kind: 'cancelled' })
        endings.quietly(endings.cancel([id], origin.principal.id))
      },
    }
  }

  /** Asks for access for a time. Resolves with the id. Throws FORBIDDEN or CONFLICT, in words, when there is nothing to ask for. */
  async create(caller: Caller, input: NewRequest): Promise<string> {
    const { agent, connections, grants, stored } = this.#options
    const { principal, sourceIp, mfa, client } = caller
    const connection = connections.get(input.connection)?.ref
    const access =
      connection &&
      agent.access({
        sessionId: 'ask',
        principal,
        connection,
        annotations: 'text',
        context: { sourceIp, mfa },
        // Without those in force: an extension is asked for while the grant still holds.
        grants: [],
      })
    if (connection !== undefined && access?.connect.verdict === 'block') {
      const { policy } = access.connect
      const withMfa = () => agent.decide(principal, 'connect', connection, { sourceIp, mfa: true })
      if (liftedByMfa({ principal, context: { mfa } }, withMfa)) throw stepUpError(`${policy.id}: ${policy.reason}`, {})
    }
    if (connection === undefined || access === undefined || access.connect.verdict === 'block') {
      throw new ORPCError('NOT_FOUND', {
        message: `There is no connection ${input.connection}, or it is not open to you.`,
      })
    }
    const ask = weighAsk(access, input)
    if (!ask.ok) throw new ORPCError(ask.code, { message: ask.message })
    const { approval } = ask
    if (approval.reasonPattern !== undefined && !reasonFits(approval.reasonPattern, reasonOf(input.reason))) {
      throw badReason(approval.reasonPattern)
    }
    const since = new Date(this.#options.clock.now().getTime() - askLimit.ms)
    if ((await stored.askedSince(principal.id, since)) >= askLimit.times) {
      throw new ORPCError('CONFLICT', {
        message: `You asked ${askLimit.times} times within ten minutes, and each was told to those who review. Ask again in a while.`,
      })
    }
    const count = await stored.pendingOf(principal.id)
    if (count >= pendingLimit) {
      throw new ORPCError('CONFLICT', {
        message: `${count} of your requests wait for a decision already. Cancel those that you no longer need.`,
      })
    }
    if (
      input.extends !== undefined &&
      !grants.now(principal.id, connection.name).some(({ id }) => id === input.extends)
    ) {
      throw new ORPCError('CONFLICT', { message: 'That grant is not yours, or has ended. Ask without it.' })
    }
    const id = newId('req')
    const { windowSeconds, expirySeconds } = approval
    const wait = expirySeconds ?? Math.min(Math.max(windowSeconds, grantWait.least), grantWait.most)
    const reason = reasonOf(input.reason)
    await stored.insert(
      principal,
      connection,
      {
        id,
        kind: 'grant',
        reason,
        policy: json(ask.policy),
        approval: json(approval),
        session_id: null,
        action: null,
        text_sealed: null,
        text_sha256: null,
        tables: json([]),
        binding: json({}),
        actions: json(ask.actions),
        data_classes: json(ask.dataClasses),
        // Policy bounds how long an approval may last; whoever asks for more is asking for that.
        duration_seconds: Math.min(input.durationSeconds, longestSeconds(approval)),
        starts_at: this.#startOf(input),
        extends_grant: input.extends ?? null,
        source_ip: sourceIp,
        mfa,
        client: client ?? null,
        device: caller.device ?? null,
        expires_at: this.#after(wait),
      },
      this.#rule(approval, reason),
    )
    if (approval.auto !== undefined) await grants.refresh()
    return id
  }

  /** What decides at once, where policy has a rule for it and the reason is the one that is wanted. */
  #rule({ auto, reasonPattern }: Approval, reason: string): Parameters<RequestStore['insert']>[3] {
    if (auto === undefined) return undefined
    if (reasonPattern !== undefined && !reasonFits(reasonPattern, reason)) return undefined
    return (trx, append, row) => this.#options.decider.byRule(trx, append, row, auto)
  }

  #startOf({ startsAt }: NewRequest): Date | null {
    if (startsAt === undefined) return null
    const start = new Date(startsAt)
    const now = this.#options.clock.now().getTime()
    if (start.getTime() > now + furthestStartMs) {
      throw new ORPCError('CONFLICT', { message: 'A start is at most 30 days ahead.' })
    }
    return start.getTime() <= now ? null : start
  }

  #after(seconds: number): Date {
    return new Date(this.#options.clock.now().getTime() + seconds * 1000)
  }
}
