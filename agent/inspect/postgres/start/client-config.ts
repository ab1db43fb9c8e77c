import type { ClientConfig } from 'pg'
import { clientTls, type PostgresTarget } from './tls.ts'

/** How node-postgres signs in at a target: for connections of the agent's own, beside those that sessions have. */
export function clientConfig(target: PostgresTarget): ClientConfig {
  const { host, port, database, user, password } = target
  return { host, port, database, user, password, ...clientTls(target) }
}
