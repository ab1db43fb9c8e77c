import { z } from 'zod'

/** The protocols that a connection can speak. A connection is listed only once its inspector exists. */
export const ConnectionKind = z.enum(['postgres', 'ssh', 'http', 'kubernetes', 'rdp'])
export type ConnectionKind = z.infer<typeof ConnectionKind>

export const Environment = z.enum(['production', 'staging', 'development'])
export type Environment = z.infer<typeof Environment>

/** A connection's name: what people type, and the id of `Connection::"…"` in policy. */
export const ConnectionName = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,62}$/)

/** What policy, agent and client all know of a connection: no address, no credential. */
export const ConnectionRef = z.object({
  name: ConnectionName,
  kind: ConnectionKind,
  environment: Environment,
  tags: z.array(z.string()),
})
export type ConnectionRef = z.infer<typeof ConnectionRef>
