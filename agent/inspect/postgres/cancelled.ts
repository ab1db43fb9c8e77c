import { write as say } from './annotations.ts'

/** The client cancelled a statement while it waited here: it is refused, and never forwarded. */
export class Cancelled extends Error {
  override readonly name = 'Cancelled'
}

/** Said to who cancelled it. */
export const cancelledError = say({
  severity: 'ERROR',
  sqlstate: '57014',
  message: 'canceling statement due to user request. It had not reached the target; nothing ran.',
})
