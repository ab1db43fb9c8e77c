import { mfaAcr, type StepUp } from '../../shared/api/problem.ts'
import { asked } from '../gateway/client.ts'
import { toProblem } from '../problem.ts'

/** What is added to an authorization request so that the same person proves again who they are, with a second factor. */
export function stepUpParameters(
  { maxAgeSeconds }: StepUp,
  personId: string,
  flow: 'browser' | 'device',
): Record<string, string> {
  return {
    acr_values: mfaAcr,
    login_hint: personId,
    // The provider may have somebody else signed in, who would be taken without a word. (The device flow has no prompt.)
    ...(flow === 'browser' ? { prompt: 'login' } : {}),
    ...(maxAgeSeconds === undefined ? {} : { max_age: String(maxAgeSeconds) }),
  }
}

export interface Lack {
  stepUp: StepUp
  /** What for, in words. */
  message: string
}

/** What a call's sign-in lacked, if that is why it failed. */
export function lackOf(error: unknown): Lack | undefined {
  const { code, message, stepUp } = toProblem(error)
  return code === 'step-up' ? { stepUp: stepUp ?? {}, message } : undefined
}

/**
 * Runs a call of the gateway's API. Where policy wants a better sign-in for it, the person is taken through that (`confirm`) and it is
 * run once more: nothing was done the first time. Throws a ProblemError.
 */
export async function confirmed<T>(call: () => Promise<T>, confirm: (lack: Lack) => Promise<void>): Promise<T> {
  try {
    return await asked(call())
  } catch (error) {
    const lack = lackOf(error)
    if (lack === undefined) throw error
    await confirm(lack)
    return asked(call())
  }
}

/** All that want a better sign-in while one is going on wait for that one: a tool's ten connections are no ten sign-ins. */
export function sharedConfirm(confirm: (lack: Lack) => Promise<void>): (lack: Lack) => Promise<void> {
  let going: Promise<void> | undefined
  return (lack) => {
    going ??= confirm(lack).finally(() => {
      going = undefined
    })
    return going
  }
}
