import { z } from 'zod'
import { api, type Caller } from '../api/context.ts'
import { Turns } from '../api/turns.ts'
import type { Audit } from '../audit/audit.ts'
import type { SessionRow, SessionView } from '../sessions/view.ts'
import type { RecordingPlace } from './layout.ts'
import type { Recordings } from './recordings.ts'
import type { RecordingSeal } from './writer.ts'

export interface RecordingsRouterDeps {
  recordings: Recordings
  view: SessionView
  audit: Audit
  /** This gateway among replicas. */
  replica: string
}

const Seal = z.object({
  recording: z.object({ chunks: z.number(), events: z.number(), sha256: z.string(), manifest: z.string() }),
  replica: z.string().optional(),
})

export function recordingsRouter({ recordings, view, audit, replica }: RecordingsRouterDeps) {
  const find = async (caller: Caller, id: string): Promise<SessionRow | undefined> => {
    const row = await view.row(id)
    return row && view.show(caller, row)?.canReplay ? row : undefined
  }
  const readings = new Readings()
  const checks = new Turns({ atOnce: 2, waiting: 20 })
  const unknown = (id: string) => ({ message: `There is no recording ${id}, or it is not yours to replay.` })
  const none = { message: 'Nothing of this session is stored at this gateway.' }

  return {
    read: api.recordings.read.handler(async ({ context: { caller }, input, errors }) => {
      const row = await find(caller, input.id)
      if (row === undefined) throw errors.NOT_FOUND(unknown(input.id))
      if (readings.isNew(`${caller.principal.id} ${input.id}`, Date.now())) {
        await audit.append({
          actor: caller.principal.id,
          action: 'recording.read',
          subject: input.id,
          detail: { principal: row.principal_id, connection: row.connection_name, sourceIp: caller.sourceIp },
        })
      }
      const page = await recordings.read({ ...placeOf(row), live: row.state !== 'ended' }, input.after, input.limit)
      if (page === undefined) throw errors.NOT_FOUND(none)
      return page
    }),

    verify: api.recordings.verify.handler(async ({ context: { caller }, input, errors, signal }) => {
      const row = await find(caller, input.id)
      if (row === undefined) throw errors.NOT_FOUND(unknown(input.id))
      const ended = row.state === 'ended' ? await endOf(audit, input.id) : undefined
      const seal = ended?.seal
      const checked = await checks.take(caller.principal.id, signal, async () => ({
        result: await recordings.verify(placeOf(row), seal, {
          principal: row.principal_id,
          connection: row.connection_name,
        }),
      }))
      if (checked === undefined) {
        throw errors.UNAVAILABLE({
          message: 'Many recordings are being checked for you already. Ask again in a moment.',
        })
      }
      const { result } = checked
      if (result === undefined && seal !== undefined) {
        if ((ended?.replica ?? row.replica) !== replica) {
          throw errors.CONFLICT({ message: 'Another replica of this gateway holds the recording. Verify it there.' })
        }
        return { ok: false, checked: 0, problems: ['missing: the audit log says that it was written here'] }
      }
      if (result === undefined) throw errors.NOT_FOUND(none)
      if (row.state !== 'ended' || seal !== undefined) return result
      const problem = 'the audit log holds no hash of it: its end was never recorded'
      return { ...result, ok: false, problems: [...result.problems, problem] }
    }),
  }
}

const readingMs = 10 * 60_000

/** Page after page, and a live recording followed for an hour, are few readings: one record each ten minutes. */
class Readings {
  readonly #begun = new Map<string, number>()

  isNew(reading: string, now: number): boolean {
    for (const [known, at] of this.#begun) if (now - at > readingMs) this.#begun.delete(known)
    if (this.#begun.has(reading)) return false
    this.#begun.set(reading, now)
    return true
  }
}

function placeOf(row: SessionRow): RecordingPlace {
  return { session: row.id, startedAt: row.started_at }
}

/**
 * What the audit log says of the end: the hash, and which gateway holds the recording, where records of older gateways don't say.
 * The newest record wins: a recording that could not be closed at the end of its session was sealed later.
 */
async function endOf(
  audit: Audit,
  session: string,
): Promise<{ seal: RecordingSeal; replica: string | undefined } | undefined> {
  const record = await audit.find(['session.end', 'recording.seal'], session)
  const found = Seal.safeParse(record?.detail)
  return found.success ? { seal: found.data.recording, replica: found.data.replica } : undefined
}
