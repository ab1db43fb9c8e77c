import type { Access, Credentials } from './gateway/client.ts'
import type { Prover } from './gateway/proof.ts'
import type { Tokens } from './sign-in/oauth.ts'

export interface Renewed {
  tokens: Tokens
  prover: Prover
}

/** Refreshed this long before it runs out, so that a token does not expire on its way. */
const marginMs = 20_000

/** Holds the access token in memory and renews it, once however many ask at the same time. */
export class TokenKeeper implements Credentials {
  private readonly renew: () => Promise<Renewed>
  private current: Renewed | undefined
  private renewing: Promise<Renewed> | undefined

  constructor(renew: () => Promise<Renewed>, current?: Renewed) {
    this.renew = renew
    this.current = current
  }

  async access(stale?: string): Promise<Access> {
    const { current } = this
    const good =
      current !== undefined && current.tokens.accessToken !== stale && current.tokens.expiresAt - marginMs > Date.now()
    const { tokens, prover } = good ? current : await this.renewOnce()
    return { token: tokens.accessToken, prover }
  }

  private renewOnce(): Promise<Renewed> {
    this.renewing ??= this.renew()
      .then((renewed) => {
        this.current = renewed
        return renewed
      })
      .finally(() => {
        this.renewing = undefined
      })
    return this.renewing
  }
}
