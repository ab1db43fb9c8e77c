import { BoundedCache, type Tally } from '../policy/cache.ts'
import { grantsInForce } from '../policy/input.ts'
import type { KeyedHash } from '../policy/masks.ts'
import { loadPolicySet, type PolicySet, type Surroundings } from '../policy/set.ts'
import type { Action } from '../shared/actions.ts'
import type { ConnectionRef } from '../shared/connection.ts'
import type { Decision, Grant, PolicyRef } from '../shared/decision.ts'
import type { PolicyFile, PolicyLoad, RequestContext } from '../shared/link.ts'
import type { Principal } from '../shared/principal.ts'
import { Answers } from './answers.ts'
import { type Redact, redactorOf } from './redaction.ts'

/** Without a policy set nothing is allowed, and this is why. */
export const policyNotLoaded: PolicyRef = {
  id: 'policy-not-loaded',
  reason: 'The agent has no policy yet, so nothing is allowed. The gateway sends it one when it is up.',
}

/** Subjects whose answers are kept: a few for each person that is connected. */
const mostSubjects = 1_000
/** Of all their answers together. */
const rememberedBytes = 128 << 20

/** The policy set in force. A push that fails leaves the last good one in force. */
export class Policies {
  #set: PolicySet | undefined
  #revision = 0
  #last: Promise<unknown> = Promise.resolve()
  #redactor: { revision: number; hash: KeyedHash; redact: Redact } | undefined
  #second = 0
  readonly #mostBytes: number
  readonly #tally: Tally = { bytes: 0 }
  readonly #answers = new BoundedCache<Answers>({
    entries: mostSubjects,
    bytes: 8 << 20,
    sizeOf: () => 4_096,
    dropped: (answers) => answers.clear(),
  })
  readonly #bare = new BoundedCache<Decision>({ entries: 20_000, bytes: 16 << 20, sizeOf: () => 512 })

  constructor(mostBytes = rememberedBytes) {
    this.#mostBytes = mostBytes
  }

  get set(): PolicySet | undefined {
    return this.#set
  }

  /** Grows with every set that comes into force. */
  get revision(): number {
    return this.#revision
  }

  /** Masks sensitive values by the set in force; all sessions share it. */
  redactor(hash: KeyedHash): Redact {
    const known = this.#redactor
    if (known?.revision === this.#revision && known.hash === hash) return known.redact
    const redact = redactorOf(this.#set, hash)
    this.#redactor = { revision: this.#revision, hash, redact }
    return redact
  }

  /**
   * What the set in force answered for a subject; `subject` and `second` say all that its answers depend on. What holds for a second
   * is not kept for longer: it would add up to a thousand subjects for each person.
   */
  answers(subject: string, second: number, hash: KeyedHash): Answers {
    if (second !== this.#second) {
      this.#second = second
      this.#answers.clear()
    }
    const known = this.#answers.get(subject)
    if (known?.hash === hash) return known
    while (this.#tally.bytes > this.#mostBytes && this.#answers.dropOldest());
    return this.#answers.set(subject, new Answers(hash, this.#tally))
  }

  /** Estimated bytes of all that is remembered for sessions. */
  get remembered(): number {
    return this.#tally.bytes
  }

  /** Pushes take effect in the order in which they came. */
  push(files: readonly PolicyFile[]): Promise<PolicyLoad> {
    const load = this.#last.then(async (): Promise<PolicyLoad> => {
      const result = await loadPolicySet(files)
      if (!result.ok) return result
      this.#set = result.set
      this.#revision++
      this.#bare.clear()
      this.#answers.clear()
      return { ok: true, version: result.set.version }
    })
    this.#last = load.catch(() => undefined)
    return load
  }

  /** A decision outside a session, with a bare context; remembered until anything that matters to it changes. */
  decide(
    principal: Principal,
    action: Exclude<Action, 'unmask'>,
    connection: ConnectionRef,
    request: RequestContext,
    grants: readonly Grant[],
    now: number,
  ): Decision {
    const set = this.#set
    if (!set) return { verdict: 'block', policy: policyNotLoaded }
    const inForce = grantsInForce(grants, principal, connection, now)
    const second = set.dependsOnTime(action) ? Math.floor(now / 1000) : 0
    const key = JSON.stringify([action, second, principal, connection, request, inForce])
    const context: Surroundings = { ...request, now }
    return (
      this.#bare.get(key) ??
      this.#bare.set(key, set.decide({ principal, connection, action, context, grants: inForce }))
    )
  }
}
