import { z } from 'zod'
import { ConnectionName } from '../connection.ts'
import { Problem } from './problem.ts'

/** A loopback address where native tools reach a connection. */
export const Endpoint = z.object({
  connection: ConnectionName,
  kind: z.string(),
  host: z.string(),
  port: z.number().int(),
  user: z.string(),
  database: z.string().optional(),
  open: z.boolean(),
  /** Native clients that are connected through it now. */
  clients: z.number().int(),
  /** Opened by itself when the app starts and somebody signs in. */
  atStart: z.boolean(),
  /** Why it could not be opened the last time it was tried. */
  problem: Problem.optional(),
  /** Where its port is taken by some other program: the next one that is free. */
  freePort: z.number().int().optional(),
})
export type Endpoint = z.infer<typeof Endpoint>
