import { join } from 'node:path'
import {
  choose,
  DesktopSession,
  fail,
  findPrograms,
  installHint,
  openManually,
  openSession,
  sweepScratch,
} from '../main/client.ts'
import type { Annotation } from '../shared/annotation.ts'
import type { Connection } from '../shared/api/models.ts'
import type { Problem } from '../shared/rpc/contract.ts'
import type { DesktopProgramId, DesktopState } from '../shared/rpc/desktop.ts'
import { type Caller, home, settings } from './context.ts'
import { decisionExit, decisionLine } from './decisions.ts'
import { Ended, exit, exitCodeOf } from './exit.ts'
import { say, write } from './output.ts'

const how = { door: 'cli', annotations: 'machine' } as const
const warn = (message: string): void => say(`sallyport: ${message}`)

/** Opens a desktop in the native program, and stays until it is closed, or Ctrl-C. */
export async function launchDesktop(
  who: Caller,
  connection: Connection,
  options: { program?: DesktopProgramId; json: boolean },
): Promise<void> {
  const { platform, env } = process
  const dataDir = join(home(), 'cli')
  await sweepScratch(dataDir)
  const programs = await findPrograms({ platform, env })
  const store = await settings()
  const program = choose(programs, options.program ?? store.get().desktopProgram)
  if (program === undefined || (options.program !== undefined && program.id !== options.program)) {
    throw fail(
      'failed',
      `No program that shows desktops is installed${options.program ? ` (${options.program})` : ''}.`,
      {
        hint: `${installHint(platform)}\nOr connect a program of your own: sallyport rdp ${connection.name} --print`,
      },
    )
  }
  if (options.program !== undefined) await store.save({ desktopProgram: options.program })
  const desktop = new DesktopSession({
    connection,
    programs,
    program,
    open: (said) => who.confirmed((me) => openSession(me, connection.name, how, undefined, said)),
    dataDir,
    platform,
    env,
    warn,
  })
  const stop = (): void => desktop.end()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, stop)
  const over = follow(desktop, connection.name, options.json)
  await desktop.launch()
  await over
}

/** Says what happens, to the end of the session; its end is the command's. */
async function follow(desktop: DesktopSession, name: string, json: boolean): Promise<void> {
  let told = 0
  let phase = ''
  for await (const state of desktop.state.watch(undefined)) {
    for (const { id, annotation } of state.said.filter((s) => s.id > told)) {
      told = id
      hear(annotation)
    }
    if (state.phase.state === phase) continue
    phase = state.phase.state
    if (state.phase.state === 'ended') return finish(state)
    if (json && (phase === 'starting' || phase === 'open')) await write(`${JSON.stringify(facts(name, state))}\n`)
    else if (phase === 'starting') say(`${name} opens in ${state.program?.name ?? 'the program'}.`)
    if (state.pastes) {
      const { user, password } = desktop.password()
      say(`It asks for a password, good once: ${password} (user ${user}).`)
    }
  }
}

function facts(connection: string, { phase, program, sessionId, endpoint }: DesktopState) {
  return { connection, state: phase.state, program: program?.id, sessionId, ...endpoint }
}

function hear(annotation: Annotation): void {
  const line = decisionLine(annotation)
  if (line !== '') say(line)
}

function finish({ phase, said }: DesktopState): void {
  const problem = phase.state === 'ended' ? phase.problem : undefined
  if (problem !== undefined) throw endedBy(problem, said.at(-1)?.annotation)
}

/** A refusal was said already, and has an exit code of its own. */
function endedBy(problem: Problem, last: Annotation | undefined): Ended {
  const code = last === undefined ? undefined : decisionExit(last)
  if (code === undefined || code === exit.failed) {
    say(`sallyport: ${problem.message}`)
    if (problem.hint !== undefined) say(problem.hint)
  }
  return new Ended(code ?? exitCodeOf(problem.code))
}

/** Opens a desktop for a program that the person starts, and prints what it needs. */
export async function printDesktop(who: Caller, connection: Connection, json: boolean): Promise<void> {
  let last: Annotation | undefined
  const heard = (annotation: Annotation): void => {
    last = annotation
    hear(annotation)
  }
  const open = (said: (annotation: Annotation) => void) =>
    who.confirmed((me) => openSession(me, connection.name, how, undefined, said))
  const desktop = await openManually(open, heard, warn).catch((error: unknown) => {
    const code = last === undefined ? undefined : decisionExit(last)
    throw code === undefined ? error : new Ended(code)
  })
  const { host, port, user, password, certificate } = desktop
  if (json) await write(`${JSON.stringify({ host, port, user, password, certificate })}\n`)
  else {
    say(
      `${connection.name} is at ${host}:${port} for one connection within a minute. User ${user}, password ${password}.`,
    )
    say('Network level authentication off, security TLS. For example:')
    say(`  xfreerdp /v:${host}:${port} /u:${user} /sec:tls /cert:fingerprint:sha256:${certificate.toLowerCase()}`)
  }
  const stop = (): void => desktop.close()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, stop)
  const problem = await desktop.ended
  if (problem !== undefined) throw endedBy(problem, last)
}
