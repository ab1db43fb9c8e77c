import { createHash } from 'node:crypto'
import { performance } from 'node:perf_hooks'
import pg from 'pg'
import { z } from 'zod'
import { clientConfig } from './start/client-config.ts'
import type { PostgresTarget } from './start/tls.ts'

/** What a session at the target begins with, before anybody sets anything: names and strings are read by it. */
export interface Beginning {
  searchPath: string
  role: string
  /** As the target reports them while it signs a session in. */
  parameters: ReadonlyMap<string, string>
}

export interface Beginnings {
  /** Rejects when the target does not answer. */
  of(target: PostgresTarget): Promise<Beginning>
}

/** Whoever changes a role's settings is believed within this time. */
const freshMs = 5_000
const timeoutMs = 5_000

/** Asks each target at most once in a while. */
export function createBeginnings(now: () => number = () => performance.now()): Beginnings {
  const known = new Map<string, { at: number; answer: Promise<Beginning> }>()
  return {
    of(target) {
      const key = createHash('sha256').update(JSON.stringify(target)).digest('base64')
      const last = known.get(key)
      if (last !== undefined && now() - last.at < freshMs) return last.answer
      const answer = ask(target)
      known.set(key, { at: now(), answer })
      answer.catch(() => known.delete(key))
      return answer
    },
  }
}

const reported = ['server_encoding', 'standard_conforming_strings', 'session_authorization'] as const

const Answer = z.tuple([
  z.object({
    search_path: z.string(),
    role: z.string(),
    server_encoding: z.string(),
    standard_conforming_strings: z.string(),
    session_authorization: z.string(),
  }),
])

async function ask(target: PostgresTarget): Promise<Beginning> {
  const client = new pg.Client({
    ...clientConfig(target),
    application_name: 'sallyport explain',
    connectionTimeoutMillis: timeoutMs,
    query_timeout: timeoutMs,
  })
  client.on('error', () => undefined)
  try {
    await client.connect()
    const columns = ['search_path', 'role', ...reported]
    const text = `SELECT ${columns.map((name) => `pg_catalog.current_setting('${name}') AS ${name}`).join(', ')}`
    const [found] = Answer.parse((await client.query(text)).rows)
    return {
      searchPath: found.search_path,
      role: found.role,
      parameters: new Map([['client_encoding', 'UTF8'], ...reported.map((name) => [name, found[name]] as const)]),
    }
  } finally {
    await client.end().catch(() => undefined)
  }
}
