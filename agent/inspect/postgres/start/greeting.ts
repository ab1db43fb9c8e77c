import type { Backend } from '../backend.ts'
import type { Outbox } from '../frames.ts'
import { type Line, statuses } from '../line.ts'
import { messages } from '../messages.ts'
import type { SignedIn } from './signin.ts'
import { negotiateVersion } from './startup.ts'

/** What the client opened the session with, and the cancel key that it gets. */
export interface Opened {
  minor: number
  parameters: ReadonlyMap<string, string>
  keyData: Buffer
}

/** Tells the client that it is in: a secret of our own to cancel with, everything else as the target said it. */
export function greet(
  toClient: Outbox,
  { minor, parameters, keyData }: Opened,
  signedIn: SignedIn,
  backend: Backend,
  line: Line,
): void {
  // Code that runs at sign-in may put anything into its notices, and nothing looked into it.
  const isOpen = line.meaning !== undefined && !line.judge.anyMasked(line.meaning)
  const warn = (said: readonly Buffer[]): void => {
    if (isOpen) for (const one of said) backend.push(one)
  }
  const negotiate = negotiateVersion(minor, parameters)
  if (negotiate !== undefined) toClient.push(negotiate)
  toClient.push(messages.authenticationOk)
  warn(signedIn.notices.before)
  for (const [name, value] of signedIn.parameters) toClient.push(messages.parameterStatus(name, value))
  toClient.push(keyData)
  warn(signedIn.notices.behind)
  toClient.push(messages.readyForQuery(statuses.idle))
}
