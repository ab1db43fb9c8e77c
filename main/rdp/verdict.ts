import type { Annotation } from '../../shared/annotation.ts'
import type { DesktopPhase } from '../../shared/rpc/desktop.ts'
import type { Problem } from '../../shared/rpc/problem.ts'
import { fail, ProblemError } from '../problem.ts'

/** A gateway that says nothing about a connection. A held one says so at once, and is then waited for without a limit of ours. */
const silentMs = 30_000

/** What the gateway decides on opening a desktop: the first decisions that come beside the stream. */
export class Verdict {
  private readonly outcome = Promise.withResolvers<void>()
  private readonly silence: NodeJS.Timeout
  private onHeld: ((held: Extract<DesktopPhase, { state: 'held' }>) => void) | undefined
  private held: Extract<DesktopPhase, { state: 'held' }> | undefined
  private state: 'open' | 'allowed' | 'refused' = 'open'

  /** It is not opened. What the gateway says then, that the session is over, is no news, and not why. */
  get refused(): boolean {
    return this.state === 'refused'
  }

  constructor() {
    this.silence = setTimeout(() => {
      this.reject(fail('failed', 'The gateway did not say whether this desktop may be opened.', { action: 'retry' }))
    }, silentMs)
    this.silence.unref()
    // Whoever waits for it hears of it; without one it is no failure of the process.
    this.outcome.promise.catch(() => {})
  }

  hear(annotation: Annotation): void {
    switch (annotation.kind) {
      case 'allowed':
      case 'granted':
      case 'approved':
        clearTimeout(this.silence)
        if (this.state === 'open') this.state = 'allowed'
        this.outcome.resolve()
        return
      case 'held': {
        clearTimeout(this.silence)
        const { requestId, policy, approval, expiresAt } = annotation
        this.held = { state: 'held', requestId, policy, approval, expiresAt }
        this.onHeld?.(this.held)
        return
      }
      case 'blocked':
        this.reject(fail('forbidden', annotation.message, annotation.hint === '' ? {} : { hint: annotation.hint }))
        return
      case 'denied':
        this.reject(fail('forbidden', `${annotation.by} denied it: ${annotation.reason}`))
        return
      case 'expired':
        this.reject(fail('forbidden', 'Nobody decided on the request in time.', { action: 'retry' }))
        return
      case 'ended':
        this.reject(fail('session-ended', annotation.reason, { action: 'reconnect' }))
        return
      case 'masked':
        return
      default:
        annotation satisfies never
    }
  }

  /** The tunnel is gone; without a word from the gateway, that is the outcome. */
  lost(problem: Problem | undefined): void {
    this.reject(
      problem === undefined
        ? fail('session-ended', 'The gateway closed the session before the desktop was opened.', { action: 'retry' })
        : new ProblemError(problem),
    )
  }

  /** Resolves when the desktop may be opened; `held` is called if that waits for people. Rejects with a ProblemError. */
  allowed(held: (phase: Extract<DesktopPhase, { state: 'held' }>) => void): Promise<void> {
    this.onHeld = held
    if (this.held !== undefined) held(this.held)
    return this.outcome.promise
  }

  private reject(error: ProblemError): void {
    clearTimeout(this.silence)
    // What is refused later is something in the desktop, not the desktop.
    if (this.state === 'open') this.state = 'refused'
    this.outcome.reject(error)
  }
}
