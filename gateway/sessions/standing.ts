import { type Kysely, sql } from 'kysely'
import type { Principal } from '../../shared/principal.ts'
import type { Log } from '../services.ts'
import type { Database } from '../store/database.ts'

/** Somebody who is in, with a session or a stream of events. */
export interface Entrant {
  /** As they were when they came in: what they may do is decided by these groups for as long as they stay. */
  principal: Principal
  /** Names their sign-in, as `tokenId` of a caller does. */
  signIn: string
  /** Ends it, with the reason in words for them. */
  leave(reason: string): void
}

const lookMs = 5_000

/**
 * Whether those who are in are still who they were when they came in, and signed in. What ends a sign-in or turns an account off is told
 * to every replica at once; this is for what nobody tells of: a message that was lost, groups that the next sign-in came without, and
 * time that ran out.
 */
export class Standing {
  readonly #db: Kysely<Database>
  readonly #log: Log
  readonly #entrants = new Set<Entrant>()
  /** When sign-ins end that were still there, by name: one that is gone before was taken back. */
  #ends = new Map<string, number>()
  #timer: NodeJS.Timeout | undefined
  #looking: Promise<void> | undefined
  #again = false

  constructor({ db, log }: { db: Kysely<Database>; log: Log }) {
    this.#db = db
    this.#log = log
  }

  start(): void {
    this.#timer = setInterval(() => void this.look(), lookMs)
    this.#timer.unref()
  }

  close(): Promise<void> {
    clearInterval(this.#timer)
    return this.#looking ?? Promise.resolve()
  }

  /** Returns what forgets them. */
  enter(entrant: Entrant): () => void {
    this.#entrants.add(entrant)
    return () => this.#entrants.delete(entrant)
  }

  /** Looks now; resolves when everybody who may not stay was told to leave. Never rejects: what can't be read is looked at again. */
  look(): Promise<void> {
    // What is under way may have read before the change that this is about.
    this.#again = true
    this.#looking ??= this.#run()
    return this.#looking
  }

  async #run(): Promise<void> {
    while (this.#again) {
      this.#again = false
      try {
        await this.#lookOnce()
      } catch (error) {
        this.#log.error({ err: error }, 'who is in can’t be looked at; trying again')
      }
    }
    this.#looking = undefined
  }

  async #lookOnce(): Promise<void> {
    const entrants = [...this.#entrants]
    if (entrants.length === 0) {
      this.#ends = new Map()
      return
    }
    const people = entrants.filter(isPerson)
    const [known, ends, signedIn] = await Promise.all([
      this.#known([...new Set(entrants.map(({ principal }) => principal.id))]),
      this.#endsOf([...new Set(people.map(({ signIn }) => signIn))]),
      this.#signedIn([...new Set(people.map(({ principal }) => principal.id))]),
    ])
    const now = Date.now()
    for (const entrant of entrants) {
      const { principal, signIn } = entrant
      const groups = known.get(principal.id)
      const last = ends.get(signIn) ?? this.#ends.get(signIn)
      const reason =
        whyNobody(groups, principal) ??
        (isPerson(entrant)
          ? whySignedOut({ here: ends.has(signIn), last, elsewhere: signedIn.has(principal.id), now })
          : undefined)
      if (reason === undefined) continue
      this.#entrants.delete(entrant)
      entrant.leave(reason)
    }
    const still = new Set(entrants.map(({ signIn }) => signIn))
    this.#ends = new Map([...this.#ends, ...ends].filter(([signIn]) => still.has(signIn)))
  }

  /** Groups of those who are not turned off. */
  async #known(ids: string[]): Promise<ReadonlyMap<string, readonly string[]>> {
    const rows = await this.#db
      .selectFrom('identities')
      .select(['id', 'groups'])
      .where('id', '=', sql<string>`any(${ids}::text[])`)
      .where('disabled_at', 'is', null)
      .execute()
    return new Map(rows.map(({ id, groups }) => [id, groups]))
  }

  /** When sign-ins end, of those that are there. */
  async #endsOf(signIns: string[]): Promise<Map<string, number>> {
    const rows = await this.#grants()
      .select(['id_hash', 'expires_at'])
      .where('id_hash', '=', sql<string>`any(${signIns}::text[])`)
      .execute()
    return new Map(rows.map(({ id_hash, expires_at }) => [id_hash, expires_at?.getTime() ?? Number.POSITIVE_INFINITY]))
  }

  /** Who of them has any sign-in that has not ended. */
  async #signedIn(ids: string[]): Promise<ReadonlySet<string>> {
    const rows = await this.#grants()
      .select('account_id')
      .distinct()
      .where('account_id', '=', sql<string>`any(${ids}::text[])`)
      .where('expires_at', '>', new Date())
      .execute()
    return new Set(rows.flatMap(({ account_id }) => account_id ?? []))
  }

  #grants() {
    return this.#db.selectFrom('oidc_payloads').where('model', '=', 'Grant')
  }
}

function isPerson({ principal }: Entrant): boolean {
  return principal.kind === 'user'
}

/** Why they are not who they were when they came in. */
function whyNobody(groups: readonly string[] | undefined, { groups: before }: Principal): string | undefined {
  if (groups === undefined) return 'This account was turned off at the gateway.'
  if (isSame(groups, before)) return undefined
  return 'Your groups have changed since this began. Open it again: policy decides by those that you have now.'
}

function isSame(groups: readonly string[], before: readonly string[]): boolean {
  const now = new Set(groups)
  return now.size === new Set(before).size && before.every((group) => now.has(group))
}

/**
 * A sign-in that was taken back ends all that it began. One whose time ran out does not, as long as the person has signed in again:
 * work goes on then.
 */
function whySignedOut(signIn: {
  here: boolean
  last: number | undefined
  elsewhere: boolean
  now: number
}): string | undefined {
  const { here, last, elsewhere, now } = signIn
  const inTime = last !== undefined && last > now
  if (here && inTime) return undefined
  if (!here && (last === undefined || inTime)) return 'Signed out, or the sign-in was revoked.'
  return elsewhere ? undefined : 'Your sign-in has ended. Sign in again.'
}
