import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { ConnectionRef } from '../shared/connection.ts'
import type { Grant } from '../shared/decision.ts'
import type { AgentLink, PolicyFile, Target } from '../shared/link.ts'
import type { Principal } from '../shared/principal.ts'
import type { Limits } from './config-schema.ts'

/**
 * The seams between the gateway's domains: each names what it needs of another as one of these,
 * and `gateway.ts` alone knows which module stands behind it.
 */

/** The log that every part writes to; pino fits. */
export interface Log {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** The agent in this process. */
export type LocalAgent = AgentLink<Duplex> & {
  readonly sshHostKey: string
  readonly rdpCertificate: string
  /** The same connection, which sessions that are opened with it read at less cost. The one that is given is not used any more. */
  lending(accepted: Socket): Socket
}

/** A connection of the configuration, with what must never leave gateway and agent. */
export interface GatewayConnection {
  ref: ConnectionRef
  description: string
  target: Target
  limits: Limits
}

/** The connections in force. Synchronous: they come from the configuration and are held in memory. */
export interface Connections {
  list(): readonly GatewayConnection[]
  get(name: string): GatewayConnection | undefined
}

/** People and machines that the gateway knows. */
export interface Identities {
  get(id: string): Promise<Principal | undefined>
  list(): Promise<readonly Principal[]>
  /** Every member of a group, for notifications. */
  members(group: string): Promise<readonly Principal[]>
}

/** The audit log. Rejects when the record cannot be stored: what it is about must then not happen. */
export interface AuditLog {
  append(entry: { actor: string; action: string; subject: string; detail: Record<string, unknown> }): Promise<void>
}

/** Grants in force right now. */
export interface Grants {
  inForce(principalId: string, connection?: string): Promise<readonly Grant[]>
}

/** Sessions as identity sees them: to be ended the moment a sign-in is revoked. */
export interface LiveSessions {
  /** Ends every session of the principal (or only those entered with one access token); resolves with how many. */
  endFor(who: { principalId: string } | { accessTokenId: string }, reason: string): Promise<number>
  /** Ends what those may not have any more who are in: their account, groups or sign-in are not what they were. */
  review(): Promise<void>
}

/** The policy set that the agent decides by. */
export interface PolicyInForce {
  readonly version: string
  readonly files: readonly PolicyFile[]
}

/** The tunnel's WebSocket upgrade. The server has matched the path; ticket, protocol and socket are the handler's. */
export type HandleTunnel = (request: IncomingMessage, socket: Duplex, head: Buffer) => void
