import type { Session } from '../../shared/api/models.ts'
import type { Grant } from '../../shared/decision.ts'
import type {
  DefinitionChange,
  HoldOutcome,
  HoldRequest,
  PolicyFile,
  PolicyLoad,
  SessionEnd,
  SessionSpec,
} from '../../shared/link.ts'
import type { Credentials } from '../native/enter.ts'
import type { PostgresRefusal } from '../native/entrance.ts'
import type { RecordingSeal } from '../recordings/writer.ts'
import type { Counts } from '../sessions/counts.ts'

/**
 * What a gateway and a worker process of it ask of each other, over the pipe between them (structured clones). A connection goes
 * to the worker beside these, with the message `handover`. Nothing here is called for each statement.
 */
export interface GatewayCalls {
  /** Lets somebody in, or says why not; a session that is let in is in the register from then on. */
  enter(typed: Credentials): Promise<WorkerEntry>
  /** A connection that was handed over is in, or was refused and is closed. */
  left(): void
  /** The session is served here, and takes orders. */
  taken(id: string): void
  /** The session is being recorded. Resolves once it is stored. */
  begun(id: string, startedAt: Date): Promise<void>
  counted(counts: readonly (readonly [id: string, counts: Counts])[]): void
  /** Asks people; resolves once the request is stored. */
  hold(id: string, request: HoldRequest): Promise<{ requestId: string; expiresAt: string }>
  /** How a held request went, once that is known. */
  outcome(requestId: string): Promise<HoldOutcome>
  giveUp(requestId: string): void
  /** The recording is closed. Resolves once the end is stored. */
  ended(id: string, end: SessionEnd, seal: RecordingSeal | undefined): Promise<void>
  /** Nothing more is to come from the session. */
  closed(id: string): void
  /** A cancel request, with a key that no session of this worker holds. See AgentLink.cancelPostgres. */
  cancel(processId: number, digest: Uint8Array): void
  /** See SessionPort.changing. */
  changing(id: string): Promise<void>
  /** The change that the session announced is over, which may itself be by then. */
  changed(id: string): void
  /** `fields`: JSON. */
  log(level: 'info' | 'warn' | 'error', fields: string, message: string): void
}

export type WorkerEntry =
  | { ok: true; session: { spec: SessionSpec; door: Session['door']; accessTokenId: string } }
  | PostgresRefusal

export interface WorkerCalls {
  /** Once, before all else. Rejects when the worker can't serve. */
  start(options: WorkerStart): Promise<void>
  pushPolicy(files: readonly PolicyFile[]): Promise<PolicyLoad>
  /** Answers when it can. */
  alive(): void
  /** Why nothing may be forwarded right now; undefined when all is well again. */
  standstill(reason: string | undefined): void
  end(id: string, reason: string): void
  setGrants(id: string, grants: readonly Grant[]): void
  /** Whether a session here holds the key. */
  cancel(processId: number, digest: Uint8Array): boolean
  /** See AgentLink. Answers once the agent knows. */
  definitionsChanging(change: DefinitionChange): void | Promise<void>
  definitionsChanged(change: DefinitionChange | undefined): void
  /** Sessions have been ended. Resolves when the agent let go of all; the worker then leaves. */
  stop(): Promise<void>
}

export interface WorkerStart {
  /** Where recordings are kept. */
  dataDir: string
  /** PEM, of the native PostgreSQL listener. */
  tls: { cert: string; key: string } | undefined
  policy: readonly PolicyFile[]
  standstill: string | undefined
}

/** The message that a client's connection comes with. */
export const handover = 'handover'
