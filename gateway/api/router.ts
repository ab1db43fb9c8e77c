import { api } from './context.ts'

type Whole = Parameters<typeof api.router>[0]

/** The parts of the contract, each from the domain that it belongs to. */
export interface RouterParts {
  me: Whole['me']
  connections: Whole['connections']
  sessions: Whole['sessions']
  recordings: Whole['recordings']
  requests: Whole['requests']
  grants: Whole['grants']
  audit: Whole['audit']
  policies: Whole['policies']
  agents: Whole['agents']
  identities: Whole['identities']
  explain: Whole['explain']
  events: Whole['events']
}

/** The whole API. A procedure that nobody implements does not compile. */
export function createRouter(parts: RouterParts) {
  return api.router({ ...parts })
}
