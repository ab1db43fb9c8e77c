import type { Annotation } from './annotation.ts'
import type { ConnectionRef } from './connection.ts'
import type { Approval, Decision, Grant, Masked, PolicyRef, Unmask } from './decision.ts'
import type { Principal } from './principal.ts'
import type { RecordingEvent } from './recording.ts'

/**
 * How gateway and agent meet. In one process the gateway calls an `AgentLink` directly and gives it sockets;
 * a remote agent is the same interface over a socket. `Stream` is Node's Duplex on both sides; this folder knows no Node.
 */
export interface AgentLink<Stream> {
  /** Replaces the policy set. On failure the last good set stays in force; with none, every decision is block. */
  pushPolicy(files: readonly PolicyFile[]): Promise<PolicyLoad>
  /** Serves an authenticated native-protocol stream (`client` has been let in by a ticket or token). */
  open(spec: SessionSpec, client: Stream, port: SessionPort): AgentSession
  /**
   * Serves a raw SSH connection whose user is not yet known: SSH names the user only inside its own encryption,
   * so the inspector ends the transport and asks `front` who may enter.
   */
  openSsh(client: Stream, front: SshFront): void
  /**
   * A PostgreSQL CancelRequest. `digest`: the SHA-256 of the key's secret, which can be passed on without telling it. True when a
   * session here holds that key.
   */
  cancelPostgres(processId: number, digest: Uint8Array): boolean
  /**
   * Another process may commit changes of a PostgreSQL database's definitions at any moment: until the call of `definitionsChanged` that
   * names it, no name is looked up there in what was read before.
   */
  definitionsChanging(change: DefinitionChange): void
  /** Definitions were changed: read them before the next name is looked up. Of every database, when it can't be told which. */
  definitionsChanged(change: DefinitionChange | undefined): void
  /** What would be decided for a statement or command, without running it. */
  explain(spec: SessionSpec, text: string): Promise<Explanation>
  /** Tables and columns as this principal sees them, from the agent's own catalog. Rejects when the target is out of reach. */
  schema(spec: SessionSpec): Promise<readonly SchemaTable[]>
  /** What this principal may do on a connection, without dialling it. */
  access(spec: Omit<SessionSpec, 'target'>): ConnectionAccess
  /**
   * How many rows a statement that waits for approval concerns: by the target's planner (nothing runs), or counted by a SELECT of the
   * same rows in a read-only transaction that is rolled back. Never rejects: what can't be told has a reason, for people.
   */
  rows(target: Target, request: RowsRequest): Promise<RowsAnswer>
  /** A decision on an action that is not a session's (`review`, `replay`, `kill`). Synchronous: policy is in memory. */
  decide(
    principal: Principal,
    action: 'review' | 'replay' | 'kill' | 'connect',
    connection: ConnectionRef,
    context: RequestContext,
  ): Decision
  /** Whether the target's address accepts connections, within `timeoutMs`. */
  probe(target: Target, timeoutMs: number): Promise<boolean>
  close(): Promise<void>
}

export interface DefinitionChange {
  /** The session that makes it, which makes one at a time. */
  id: string
  /** As the target has them. */
  host: string
  port: number
  database: string
}

export interface RowsRequest {
  how: 'plan' | 'count'
  /** As held. */
  text: string
  /** As the statement's binding has it. */
  searchPath: string
}

/** `passing`: what stood in the way may be gone in a moment (a lock, a busy target). */
export type RowsAnswer = { ok: true; rows: number; ms: number } | { ok: false; reason: string; passing?: boolean }

export interface PolicyFile {
  /** Path relative to the policy folder: `demo.cedar`, `classification.yaml`, `sallyport.cedarschema`. */
  path: string
  text: string
}

export type PolicyLoad = { ok: true; version: string } | { ok: false; problems: readonly PolicyProblem[] }

/** Points at the place: `file`, 1-based `line`, and the reason in words. */
export interface PolicyProblem {
  file: string
  line: number
  reason: string
}

/** Facts about the request's surroundings, from the gateway. */
export interface RequestContext {
  sourceIp: string
  mfa: boolean
  ticket?: string
}

/** How TLS begins, as libpq's `sslnegotiation`; `postgres` if unsaid. */
export type TlsNegotiation = 'postgres' | 'direct'

/** Where the target is and how to sign in there. Held by gateway and agent only; never logged, never sent to a client. */
export type Target =
  | {
      kind: 'postgres'
      host: string
      port: number
      database: string
      user: string
      password: string
      /** The newest protocol that it is asked for; 3.0 if unsaid, which every server and pooler speaks. 3.2 has longer cancel keys. */
      maxProtocol?: '3.0' | '3.2'
      /**
       * `verify-full` needs `ca` unless the system's roots do. `cert` and `key`: who we are, where the target asks. All PEM.
       * `negotiation`: `postgres` asks for TLS first, `direct` begins with it (PostgreSQL 17 and newer).
       */
      tls:
        | { mode: 'disable' }
        | { mode: 'require'; cert?: string; key?: string; negotiation?: TlsNegotiation }
        | {
            mode: 'verify-full'
            ca?: string
            servername?: string
            cert?: string
            key?: string
            negotiation?: TlsNegotiation
          }
    }
  | {
      kind: 'ssh'
      host: string
      port: number
      user: string
      /** OpenSSH private key text. */
      privateKey: string
      /** The host keys that are accepted, `SHA256:…` as ssh-keygen prints them. Never empty: an unknown host is refused. */
      hostKeys: readonly string[]
    }
  | {
      kind: 'rdp'
      host: string
      port: number
      user: string
      /** Windows domain; empty where there is none. */
      domain: string
      password: string
      /**
       * `pinned`: the SHA-256 of the accepted certificates (DER), as `AA:BB:…`; never empty. `verify-full` needs `ca` unless
       * the system's roots do. A target without TLS is never dialled.
       */
      tls:
        | { mode: 'pinned'; certificates: readonly string[] }
        | { mode: 'verify-full'; ca?: string; servername?: string }
    }

export interface SessionSpec {
  sessionId: string
  principal: Principal
  connection: ConnectionRef
  target: Target
  /** `machine`: decisions carry an Annotation for the desktop client. */
  annotations: 'machine' | 'text'
  context: RequestContext
  /** In force when the session opens; later changes come through `AgentSession.setGrants`. */
  grants: readonly Grant[]
  /** `catalog`: nothing but what a database holds may be read in it; see `agent/structure.ts`. Work, if unsaid. */
  purpose?: 'catalog'
  /** RDP: what the launched client has to sign in with. Without it nobody gets in. */
  rdp?: RdpCredential
}

/** Ties one launched RDP client to one session; made by the gateway, good for that session alone. */
export interface RdpCredential {
  /** Nine ASCII characters at most, because mstsc cuts the routing cookie (`mstshash`) there. */
  username: string
  password: string
}

/** What an inspector may ask of the gateway for one session. */
export interface SessionPort {
  /** The target accepted us; the session is live and listed from here on. */
  started(info: { user: string; database?: string; cols?: number; rows?: number }): void
  /**
   * Puts an event on the recording. The request that it is about may be forwarded once this returns (undefined) or resolves.
   * Throws or rejects when it cannot be stored: the request must not be forwarded.
   */
  record(event: RecordingEvent): Promise<void> | undefined
  /** Asks people. Resolves once the request is stored and has an id. */
  hold(request: HoldRequest): Promise<Held>
  /**
   * Tells the client of a decision beside the stream, for a protocol that has no place for it in its own bytes (RDP).
   * Unset where the door has no such place either. Never throws.
   */
  annotate?(annotation: Annotation): void
  /** The client sent a PostgreSQL CancelRequest, with a key that no session of this agent holds. See AgentLink.cancelPostgres. */
  cancelElsewhere?(processId: number, digest: Uint8Array): void
  /**
   * The session is about to change definitions that everybody at its target has. Resolves when whoever else inspects that target for this
   * gateway knows; undefined: nobody else does. What changes them must not be forwarded before.
   */
  changing?(): Promise<void> | undefined
  /** The change that was announced is committed or taken back. */
  changed?(): void
}

export interface HoldRequest {
  action: string
  /** Exactly what will run once approved, literals included. */
  text: string
  policy: PolicyRef
  approval: Approval
  tables: readonly string[]
  /** `schema.table.column` of every column that it touches. */
  columns?: readonly string[]
  /** Data classes that literals of the text may belong to: who may not see all of them in the clear reads `redacted`. */
  hiddenClasses?: readonly string[]
  /** The text without those literals. */
  redacted?: string
  /** Why, where the text itself says so (a comment in it), with sensitive values masked. */
  reason?: string
  /** Session state that the statement's meaning depends on (search_path, role, database). */
  binding: Readonly<Record<string, string>>
}

export interface Held {
  requestId: string
  /** ISO 8601. */
  expiresAt: string
  outcome: Promise<HoldOutcome>
  /** The client gave up waiting (cancel, disconnect). */
  cancel(): void
}

export type HoldOutcome =
  | { kind: 'approved'; by: readonly string[] }
  | { kind: 'denied'; by: string; reason: string }
  | { kind: 'expired' }
  | { kind: 'cancelled' }

/** A running session, as the gateway holds it. */
export interface AgentSession {
  /** Ends it now, and tells the person why where the protocol can. */
  end(reason: string): void
  /** Grants changed: decisions from here on use these. */
  setGrants(grants: readonly Grant[]): void
  /** Resolves, never rejects, when both sides are closed and the last event is recorded. */
  readonly done: Promise<SessionEnd>
}

export interface SessionEnd {
  reason: string
  /** Bytes that went to the client and to the target. */
  bytesOut: number
  bytesIn: number
}

/** Who may enter a raw SSH connection. */
export interface SshFront {
  /** `user` as typed (`ada%web-1`). Resolves with a session to serve, or a refusal in words; delays are the gateway's. */
  authenticate(
    user: string,
    password: string,
  ): Promise<
    | { ok: true; spec: SessionSpec; port: SessionPort; opened(session: AgentSession): void }
    | { ok: false; reason: string }
  >
}

export interface Explanation {
  statements: readonly {
    /** UTF-16 offsets into the text that was sent. */
    start: number
    end: number
    action: string
    decision: Decision
    masks: readonly Masked[]
    tables: readonly string[]
    /** For a block that is no policy's own: why the statement can't be proved clean. */
    detail?: string
  }[]
}

export interface SchemaTable {
  schema: string
  name: string
  kind: 'table' | 'view' | 'materialized' | 'foreign'
  columns: readonly { name: string; type: string; dataClass?: string; masked: boolean }[]
}

export interface ConnectionAccess {
  connect: Decision
  /** Verdict on each action that fits the kind of connection, with a bare context; on `rdp:clipboard` one for each direction. */
  actions: readonly { action: string; direction?: 'in' | 'out'; decision: Decision }[]
  dataClasses: readonly { name: string; unmask: Unmask }[]
}
