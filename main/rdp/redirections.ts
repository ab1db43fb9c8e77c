import type { Connection } from '../../shared/api/models.ts'
import type { Redirections } from './rdp-file.ts'

/** What the program is to offer: what policy allows now. What waits for an approval is offered once it is granted, by a new launch. */
export function redirectionsOf(actions: Connection['actions']): Redirections {
  const allowed = (action: string): boolean =>
    actions.some((a) => a.action === action && a.decision.verdict === 'allow')
  return {
    clipboard: allowed('rdp:clipboard'),
    drives: allowed('rdp:drive'),
    printers: allowed('rdp:printer'),
    audio: allowed('rdp:audio'),
  }
}
