import type { Refusal } from './annotations.ts'
import type { Line } from './line.ts'
import { Judged } from './statements.ts'

/**
 * A session that was begun with the start-up parameter `replication`. What it streams is the target's log or files, in which nothing
 * can be masked: policy has to allow it, and nothing of the connection may be masked for this person.
 */

/** Every command of PostgreSQL's replication grammar but SHOW, which is SQL too. No SQL statement begins with any of them. */
const commands = new Set([
  'identify_system',
  'base_backup',
  'start_replication',
  'create_replication_slot',
  'drop_replication_slot',
  'alter_replication_slot',
  'read_replication_slot',
  'timeline_history',
  'upload_manifest',
])

/** A text as the replication command that it is; undefined: the target takes it for SQL. */
export function replicationCommand(text: string): Judged | undefined {
  const word = /^\s*([a-z_]+)/i.exec(text)?.[1]?.toLowerCase() ?? ''
  if (!commands.has(word)) return undefined
  return new Judged(
    {
      start: 0,
      end: text.length,
      node: 'replication',
      action: 'sql:replication',
      tables: [],
      written: [],
      columns: [],
      functions: [],
      hasWhere: true,
      complete: false,
      doubt: 'what is replicated is not looked into',
      outputs: null,
      uses: [],
      effects: [],
      literalFree: false,
    },
    1,
  )
}

const reason = 'Values can not be masked in what is replicated.'

/** Why somebody for whom something is masked gets nothing that is replicated. */
export const unmaskable: Refusal = {
  policy: { id: 'sallyport/replication', reason },
  message: `${reason} Columns of this connection are masked for you, so it is not open to you in this way.`,
  hint: 'Who may see all of its columns may replicate, where policy allows it.',
  requestable: false,
}

/** Looks at a running stream again when policy, grants or the catalog have changed. */
export class ReplicationWatch {
  readonly #line: Line
  readonly #command: Judged
  #epoch: number
  #catalog: unknown

  /** `command` was admitted. */
  constructor(line: Line, command: Judged) {
    this.#line = line
    this.#command = new Judged(command.analysis, 1)
    // Of the decision, which may be older than this moment: it was put on the recording in between.
    this.#epoch = command.verdict?.epoch ?? -1
    this.#catalog = line.meaning?.catalog
  }

  /** Whether what comes may still go to the client. */
  get allowed(): boolean {
    const { meaning, judge, port } = this.#line
    if (port.epoch === this.#epoch && meaning?.catalog === this.#catalog) return true
    if (meaning === undefined) return false
    this.#epoch = port.epoch
    this.#catalog = meaning.catalog
    return !judge.anyMasked(meaning) && judge.judge(this.#command, meaning, this.#line).kind === 'run'
  }
}
