import type { GatewayConnection } from '../services.ts'

/** As many sessions are open as may be: why not one more, in words for people. */
export interface Full {
  ok: false
  kind: 'full'
  message: string
  hint: string
}

/** Whether there is room for one more session of `principalId`. `open`: whose the open ones on this connection are. */
export function room(
  { ref, limits }: Pick<GatewayConnection, 'ref' | 'limits'>,
  principalId: string,
  open: readonly string[],
): Full | undefined {
  const { perPerson, sessions } = limits
  const own = open.filter((id) => id === principalId).length
  if (perPerson !== undefined && own >= perPerson) {
    return {
      ok: false,
      kind: 'full',
      message: `You have ${counted(own)} open on ${ref.name}, and no more than ${perPerson} may be at the same time.`,
      hint: '`sallyport sessions` lists them. End one, then try again.',
    }
  }
  if (sessions !== undefined && open.length >= sessions) {
    return {
      ok: false,
      kind: 'full',
      message: `${ref.name} has ${counted(open.length)} open, and no more than ${sessions} may be at the same time.`,
      hint: 'Try again when one has ended, or ask whoever runs the gateway for a higher limit.',
    }
  }
  return undefined
}

function counted(sessions: number): string {
  return sessions === 1 ? 'one session' : `${sessions} sessions`
}
