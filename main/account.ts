import type { StepUp } from '../shared/api/problem.ts'
import type { AuthState } from '../shared/rpc/contract.ts'
import type { Log } from './log.ts'
import { fail, toProblem } from './problem.ts'
import type { SecretStore } from './secrets.ts'
import { endSignIn, resumeSignIn, type SignedIn, startSignIn, stepUpSignIn } from './sign-in/person.ts'
import { untilAborted, Watched } from './watched.ts'

export interface AccountOptions {
  secrets: SecretStore
  clientId: string
  openExternal(url: string): Promise<void>
  /** Somebody is signed in from now on; what belonged to another person must go. */
  onSignedIn(who: SignedIn): Promise<void>
  /** Nobody is signed in any more. `expired`: the work stays, for the same person to go on with. */
  onSignedOut(how: 'expired' | 'signed-out'): Promise<void>
  log: Log
}

/** Who is signed in, and how that changes. */
export class Account {
  readonly state = new Watched<AuthState>({ state: 'signed-out' })
  private readonly options: AccountOptions
  private signedIn: SignedIn | undefined
  private pending: AbortController | undefined
  private confirming: { abort: AbortController; done: Promise<void>; waiting: number } | undefined
  /** What to go back to when a sign-in is given up: an ended one still has work that waits for its person. */
  private before: AuthState = { state: 'signed-out' }

  constructor(options: AccountOptions) {
    this.options = options
  }

  get current(): SignedIn | undefined {
    return this.signedIn
  }

  /** Who is signed in; throws `not-signed-in` when nobody is. */
  require(): SignedIn {
    if (this.signedIn !== undefined) return this.signedIn
    const expired = this.state.get().state === 'expired'
    throw fail('not-signed-in', expired ? 'The sign-in has ended.' : 'You are not signed in.', {
      hint: 'Sign in to go on. Your tabs stay as they are.',
      action: 'sign-in',
    })
  }

  /** Goes on with the sign-in that the secret store holds for a gateway, if it holds one. */
  async resume(gateway: string): Promise<void> {
    if (gateway === '') return
    try {
      const who = await resumeSignIn(gateway, this.options.secrets, () => this.expire())
      if (who !== undefined) await this.enter(who)
    } catch (error) {
      this.state.set({ state: 'signed-out', problem: toProblem(error) })
    }
  }

  /** Starts a sign-in and returns once it waits for the person; `state` tells how it goes on. A running one is replaced. */
  async signIn(gateway: string, flow: 'browser' | 'device'): Promise<void> {
    this.cancel()
    const abort = new AbortController()
    this.pending = abort
    const { secrets, clientId, openExternal, log } = this.options
    this.before = this.state.get()
    const pending = await startSignIn({
      gateway,
      flow,
      clientId,
      secrets,
      onEnded: () => this.expire(),
      signal: abort.signal,
    })
    void this.finish(pending.done, abort)
    const { url, code, expiresAt } = pending
    this.state.set({
      state: 'waiting',
      url,
      expiresAt: expiresAt.toISOString(),
      ...(code === undefined ? {} : { code }),
    })
    try {
      await openExternal(url)
    } catch (error) {
      // The address is on screen too, to be opened by hand.
      log.warn({ err: error }, 'the browser could not be opened')
    }
  }

  private async finish(done: Promise<SignedIn>, abort: AbortController): Promise<void> {
    try {
      const who = await done
      if (!abort.signal.aborted) await this.enter(who)
    } catch (error) {
      if (abort.signal.aborted) return
      if (this.before.state === 'expired') this.state.set(this.before)
      else this.state.set({ state: 'signed-out', problem: toProblem(error) })
    } finally {
      if (this.pending === abort) this.pending = undefined
    }
  }

  private async enter(who: SignedIn): Promise<void> {
    this.signedIn = who
    await this.options.onSignedIn(who)
    this.state.set(signedInState(who))
  }

  /**
   * Has the person who is signed in prove again who they are, with a second factor, for what `why` says. All that wait for it at the
   * same time share one; when the last of them has given up (`signal`), nobody is asked any more. Rejects when they don't, or can't.
   */
  async confirm(lack: StepUp, why: string, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    this.confirming ??= this.beginConfirming(lack, why)
    const going = this.confirming
    going.waiting += 1
    try {
      await untilAborted(going.done, signal)
    } finally {
      going.waiting -= 1
      if (going.waiting === 0) going.abort.abort()
    }
  }

  private beginConfirming(lack: StepUp, why: string): NonNullable<Account['confirming']> {
    const abort = new AbortController()
    const done = this.stepUp(this.require(), lack, why, abort.signal).finally(() => {
      this.confirming = undefined
    })
    // Those who wait hear of it; when nobody does any more, it is nobody's failure.
    done.catch(() => {})
    return { abort, done, waiting: 0 }
  }

  private async stepUp(who: SignedIn, lack: StepUp, why: string, signal: AbortSignal): Promise<void> {
    const { clientId, openExternal, secrets, log } = this.options
    const pending = await stepUpSignIn({ who, lack, clientId, secrets, onEnded: () => this.expire(), signal })
    const { url, code, expiresAt } = pending
    const confirming = { url, why, expiresAt: expiresAt.toISOString(), ...(code === undefined ? {} : { code }) }
    if (this.signedIn === who) this.state.set({ ...signedInState(who), confirming })
    try {
      await openExternal(url)
    } catch (error) {
      log.warn({ err: error }, 'the browser could not be opened')
    }
    try {
      const better = await pending.done
      if (this.signedIn === who && !signal.aborted) await this.enter(better)
    } catch (error) {
      const { code, message } = toProblem(error)
      if (code !== 'sign-in-failed') throw error
      throw fail('step-up', `Not confirmed, so nothing was done. ${message}`, {
        action: 'step-up',
        stepUp: lack,
        cause: error,
      })
    } finally {
      const state = this.state.get()
      if (state.state === 'signed-in' && state.confirming !== undefined) this.state.set(signedInState(who))
    }
  }

  private expire(): void {
    const who = this.signedIn
    if (who === undefined) return
    this.signedIn = undefined
    const { id, name, groups } = who.person
    this.state.set({
      state: 'expired',
      gateway: who.info.url,
      gatewayName: who.info.name,
      person: { id, name, groups },
    })
    this.options
      .onSignedOut('expired')
      .catch((error: unknown) => this.options.log.error({ err: error }, 'ending the sign-in'))
  }

  /** Stops waiting for a sign-in. No-op when none is going on. */
  cancel(): void {
    this.confirming?.abort.abort()
    const { pending } = this
    if (pending === undefined) return
    this.pending = undefined
    pending.abort()
    if (this.state.get().state !== 'waiting') return
    this.state.set(this.before.state === 'expired' ? this.before : { state: 'signed-out' })
  }

  async signOut(): Promise<void> {
    this.cancel()
    const state = this.state.get()
    const who = this.signedIn
    this.signedIn = undefined
    this.state.set({ state: 'signed-out' })
    await this.options.onSignedOut('signed-out')
    const gateway = who?.info.url ?? (state.state === 'expired' ? state.gateway : undefined)
    if (gateway === undefined) return
    const ended = await endSignIn(gateway, this.options.secrets)
    if (!ended.told) this.options.log.warn({ why: ended.why }, 'signed out here; the gateway could not be told')
  }
}

function signedInState({ info, person: { id, name, groups } }: SignedIn): Extract<AuthState, { state: 'signed-in' }> {
  return { state: 'signed-in', gateway: info.url, gatewayName: info.name, person: { id, name, groups } }
}
