import { asked, toProblem } from '../main/client.ts'
import type { AuditRecord, Verification } from '../shared/api/models.ts'

const page = 1000
/** What the audit log has of a recording that is closed. */
const ends: readonly string[] = ['session.end', 'recording.seal']

/** Of the gateway's API, what is needed here. */
interface Api {
  audit: { list(input: { after: number; limit: number }): Promise<AuditRecord[]> }
  recordings: { verify(input: { id: string }): Promise<Verification> }
}

export interface VerifiedRecordings {
  state: 'checked' | 'not-yours'
  checked: number
  /** Held by other replicas. */
  elsewhere: number
  problems: string[]
}

/** Every recording that the audit log knows to have ended since then, also one of which store and folder know nothing any more. */
export async function verifyRecordings(api: Api, from: string | undefined): Promise<VerifiedRecordings> {
  const result: VerifiedRecordings = { state: 'checked', checked: 0, elsewhere: 0, problems: [] }
  const seen = new Set<string>()
  for (let after = 0; ; ) {
    let records: AuditRecord[]
    try {
      records = await asked(api.audit.list({ after, limit: page }))
    } catch (error) {
      if (toProblem(error).code === 'forbidden') return { ...result, state: 'not-yours' }
      throw error
    }
    for (const { action, subject, at } of records) {
      if (!ends.includes(action) || seen.has(subject) || (from !== undefined && at < from)) continue
      seen.add(subject)
      try {
        const { problems } = await asked(api.recordings.verify({ id: subject }))
        result.checked++
        result.problems.push(...problems.map((problem) => `${subject}: ${problem}`))
      } catch (error) {
        const problem = toProblem(error)
        if (problem.code === 'conflict') result.elsewhere++
        else if (problem.code === 'not-found') result.problems.push(`${subject}: ${problem.message}`)
        else throw error
      }
    }
    const last = records.at(-1)
    if (last === undefined || records.length < page) return result
    after = last.seq
  }
}
