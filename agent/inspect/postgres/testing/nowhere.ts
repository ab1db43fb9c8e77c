import type { PostgresTarget } from '../start/tls.ts'

/** Where nobody answers: of what is decided without a connection. */
export const nowhere: PostgresTarget = {
  kind: 'postgres',
  host: '127.0.0.1',
  port: 1,
  database: 'orders',
  user: 'app',
  password: '',
  tls: { mode: 'disable' },
}
