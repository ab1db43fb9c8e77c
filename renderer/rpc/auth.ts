import type { AuthState } from '../../shared/rpc/contract.ts'

export type Waiting = Extract<AuthState, { state: 'waiting' }>

/**
 * Who is signed in, as the page has it. Signing in again after a sign-in has ended is still `expired`, with what it waits for:
 * tabs and drafts stay on the screen meanwhile.
 */
export type Auth =
  | Exclude<AuthState, { state: 'expired' }>
  | (Extract<AuthState, { state: 'expired' }> & { waiting?: Waiting })

/** What the core's next state means after the page's last. */
export function nextAuth(before: Auth | undefined, next: AuthState): Auth {
  if (next.state !== 'waiting' || before?.state !== 'expired') return next
  const { waiting: _, ...expired } = before
  return { ...expired, waiting: next }
}
