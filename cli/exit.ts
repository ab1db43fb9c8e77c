import type { Problem } from '../shared/rpc/contract.ts'

/** Exit codes (INTERFACES.md). */
export const exit = { done: 0, failed: 1, usage: 2, notSignedIn: 3, blocked: 4, pending: 5 } as const
export type ExitCode = (typeof exit)[keyof typeof exit]

/** Ends the command with a code, after what had to be said was said. */
export class Ended extends Error {
  readonly code: number

  constructor(code: number) {
    super(`exit ${code}`)
    this.code = code
  }
}

export function exitCodeOf(code: Problem['code']): ExitCode {
  switch (code) {
    case 'not-signed-in':
    case 'step-up':
    case 'sign-in-failed':
      return exit.notSignedIn
    case 'forbidden':
      return exit.blocked
    case 'bad-input':
    case 'gateway-unreachable':
    case 'target-unreachable':
    case 'not-found':
    case 'conflict':
    case 'session-ended':
    case 'failed':
      return exit.failed
    default:
      return code satisfies never
  }
}
