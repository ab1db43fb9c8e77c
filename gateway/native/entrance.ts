import { sqlstates } from '../../shared/annotation.ts'
import type { LocalAgent } from '../services.ts'
import type { Cancels } from '../sessions/cancels.ts'
import type { NewSession } from '../sessions/registry.ts'
import { type Credentials, enterNative, type NativeDeps, type NativeEntry } from './enter.ts'
import type { PostgresEntrance, PostgresEntry } from './postgres.ts'

export interface EntranceDeps extends NativeDeps {
  agent: LocalAgent
  cancels: Pick<Cancels, 'request'>
}

export type PostgresRefusal = Exclude<PostgresEntry, { ok: true }>

/**
 * Lets somebody in with what they typed, or says why not. `enlist` takes the session into the register, in the turn in which
 * there was room for it: nobody can come in between.
 */
export async function admitPostgres<Live>(
  deps: NativeDeps,
  typed: Credentials,
  enlist: (session: Omit<NewSession, 'client'>) => Live,
): Promise<{ ok: true; live: Live } | PostgresRefusal> {
  const entry = await enterNative(deps, typed)
  if (!entry.ok) return { ok: false, sqlstate: sqlstateOf(entry), message: entry.message, hint: entry.hint }
  const { connection, target, principal } = entry.session.spec
  if (target.kind !== 'postgres') {
    const message = `${connection.name} is not a PostgreSQL database.`
    return { ok: false, sqlstate: '3D000', message, hint: 'sallyport ls tells the kind of each.' }
  }
  const full = deps.sessions.room(connection.name, principal.id)
  // too_many_connections, as PostgreSQL's own limit says.
  if (full !== undefined) return { ok: false, sqlstate: '53300', message: full.message, hint: full.hint }
  return { ok: true, live: enlist(entry.session) }
}

/** The entrance to sessions of this process. */
export function entranceHere(deps: EntranceDeps): PostgresEntrance {
  const { agent, sessions, cancels } = deps
  return {
    cancel: (processId, digest) => cancels.request(processId, digest),
    async enter(typed, client) {
      const entry = await admitPostgres(deps, typed, (session) => sessions.prepare({ ...session, client }))
      if (!entry.ok) return entry
      const { live } = entry
      return { ok: true, begin: () => live.attach(agent.open(live.spec, client, live.port)) }
    },
  }
}

function sqlstateOf(entry: Exclude<NativeEntry, { ok: true }>): string {
  switch (entry.kind) {
    case 'token':
      return '28P01'
    case 'unknown':
      return '3D000'
    case 'blocked':
    case 'held':
    case 'step-up':
      return sqlstates.blocked
  }
}
