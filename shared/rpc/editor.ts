import { z } from 'zod'

/** What the SQL editor asks of the client core beside running: `shared/rpc/contract.ts` puts it under `editor`. */

/** Statements that one check takes, and how long each may be (UTF-16 units). */
export const checkLimits = { statements: 200, length: 64 * 1024 } as const

/** PostgreSQL's parser stopped here: UTF-16 offset in the statement. */
export const SyntaxProblem = z.object({ message: z.string(), position: z.number().int().min(0) })
export type SyntaxProblem = z.infer<typeof SyntaxProblem>

export const CheckInput = z.object({
  statements: z.array(z.string().max(checkLimits.length)).max(checkLimits.statements),
})
/** One answer for each statement; null where the parser has nothing to say. */
export const CheckOutput = z.array(SyntaxProblem.nullable())
