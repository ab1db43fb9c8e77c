import { z } from 'zod'
import { Annotation } from '../annotation.ts'
import { Problem } from './problem.ts'

export const TerminalEvent = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready'), sessionId: z.string() }),
  /** Output for xterm, annotations taken out. */
  z.object({ type: z.literal('data'), text: z.string() }),
  z.object({ type: z.literal('annotation'), at: z.iso.datetime(), annotation: Annotation }),
  z.object({
    type: z.literal('exit'),
    code: z.number().int().optional(),
    signal: z.string().optional(),
    problem: Problem.optional(),
  }),
])
export type TerminalEvent = z.infer<typeof TerminalEvent>
