import { z } from 'zod'
import { Annotation } from '../annotation.ts'
import { ConnectionName } from '../connection.ts'
import { Approval, PolicyRef } from '../decision.ts'
import { Problem } from './problem.ts'

/** The programs that can show a desktop: the system's own, those people install, and the client itself (`viewer`). */
export const DesktopProgramId = z.enum([
  'mstsc',
  'windows-app',
  'xfreerdp',
  'sdl-freerdp',
  'wlfreerdp',
  'remmina',
  'viewer',
])
export type DesktopProgramId = z.infer<typeof DesktopProgramId>

export const DesktopProgram = z.object({
  id: DesktopProgramId,
  /** As people know it: `FreeRDP`, `Windows App`. */
  name: z.string(),
  version: z.string().optional(),
})
export type DesktopProgram = z.infer<typeof DesktopProgram>

/** How far one desktop session is. */
export const DesktopPhase = z.discriminatedUnion('state', [
  /** Nothing runs: no program is installed, or none was started yet. */
  z.object({ state: z.literal('idle') }),
  /** The gateway is asked for a session. */
  z.object({ state: z.literal('opening') }),
  /** Opening it needs an approval: nothing is started, and nothing reaches the desktop, until there is one. */
  z.object({
    state: z.literal('held'),
    requestId: z.string(),
    policy: PolicyRef,
    approval: Approval,
    expiresAt: z.iso.datetime(),
  }),
  /** The program was started and has not come to its endpoint yet. */
  z.object({ state: z.literal('starting') }),
  /** The program is connected through the gateway. */
  z.object({ state: z.literal('open'), since: z.iso.datetime() }),
  /** `problem` is absent when the person closed it. */
  z.object({ state: z.literal('ended'), problem: Problem.optional() }),
])
export type DesktopPhase = z.infer<typeof DesktopPhase>

/** Everything there is to know of a desktop's tab, sent whole at each change. */
export const DesktopState = z.object({
  connection: ConnectionName,
  /** What is installed here, best first. */
  programs: z.array(DesktopProgram),
  /** The one that was started, or will be. */
  program: DesktopProgram.optional(),
  /** For where nothing is installed: what to install, and where to get it. */
  install: z.string(),
  phase: DesktopPhase,
  sessionId: z.string().optional(),
  /** What the gateway said in this session, in order; the last hundred. */
  said: z.array(z.object({ id: z.number().int(), at: z.iso.datetime(), annotation: Annotation })),
  /** The loopback endpoint of this one session, while it is open. */
  endpoint: z.object({ host: z.string(), port: z.number().int() }).optional(),
  /** The program can't be handed the one-time password by us: the person pastes it (`desktop.password`). */
  pastes: z.boolean(),
  /** Its window can be brought to the front from here. */
  canFront: z.boolean(),
})
export type DesktopState = z.infer<typeof DesktopState>
