import type { SessionToken } from './access.ts'

/** The environment that libpq programs (psql, pgbench, pg_dump) take their connection from. */
export function libpqEnv(to: {
  host: string
  port: number
  user: string
  database?: string | undefined
  password?: string
}): Record<string, string> {
  return {
    PGHOST: to.host,
    PGPORT: String(to.port),
    PGUSER: to.user,
    PGDATABASE: to.database ?? to.user,
    PGSSLMODE: 'disable',
    PGCONNECT_TIMEOUT: '20',
    ...(to.password === undefined ? {} : { PGPASSWORD: to.password }),
  }
}

export function tokenEnv(token: SessionToken): Record<string, string> {
  return libpqEnv({ ...token, password: token.token })
}

export function urlEnv(url: string): Record<string, string> {
  const { hostname, port, username, password, pathname } = new URL(url)
  return libpqEnv({ host: hostname, port: Number(port), user: username, database: pathname.slice(1), password })
}
