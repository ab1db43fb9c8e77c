import { randomUUID } from 'node:crypto'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Annotation } from '../../shared/annotation.ts'
import type { Connection } from '../../shared/api/models.ts'
import type { DesktopPhase, DesktopProgramId, DesktopState } from '../../shared/rpc/desktop.ts'
import type { Problem } from '../../shared/rpc/problem.ts'
import type { GatewaySession } from '../gateway/session.ts'
import { fail, toProblem } from '../problem.ts'
import { Watched } from '../watched.ts'
import { type Door, openDoor } from './door.ts'
import { bringToFront, canBringToFront } from './front.ts'
import { planLaunch } from './plan.ts'
import { choose, type InstalledProgram, installHint } from './programs.ts'
import { redirectionsOf } from './redirections.ts'
import { type Running, startProgram } from './run.ts'
import { type ScratchFile, writeScratch } from './scratch.ts'
import { sealPassword } from './seal.ts'
import { Verdict } from './verdict.ts'
import { ViewerLink } from './viewer.ts'

export interface DesktopOptions {
  connection: Pick<Connection, 'name' | 'actions'>
  programs: readonly InstalledProgram[]
  program: InstalledProgram | undefined
  /** A new session of the gateway's, given up with `signal`. `said` is called with each decision about it. */
  open(said: (annotation: Annotation) => void, signal: AbortSignal): Promise<GatewaySession>
  dataDir: string
  platform: NodeJS.Platform
  env: NodeJS.ProcessEnv
  warn(message: string): void
}

const keptSaid = 100

/** One try: the gateway's session with all that was made for it. Every part is released, once, by `over`. */
interface Attempt {
  door?: Door
  file?: ScratchFile
  running?: Running
  socket?: Socket
  tunnel?: Duplex
  viewer?: ViewerLink
  /** Why the gateway ends it, when it has said so: the program, told too, may be gone before the tunnel is. */
  why?: Problem
  /** Aborted when it is over: nobody is asked for a second factor for it any more. */
  opening: AbortController
  over: boolean
}

/** A desktop's tab: its sessions one after another, each with a program, an endpoint and a one-time credential of its own. */
export class DesktopSession {
  readonly state: Watched<DesktopState>
  private readonly options: DesktopOptions
  private program: InstalledProgram | undefined
  private attempt: Attempt | undefined
  private credential: { user: string; password: string } | undefined
  private count = 0

  constructor(options: DesktopOptions) {
    this.options = options
    this.program = options.program
    this.state = new Watched<DesktopState>({
      connection: options.connection.name,
      programs: options.programs.map(shown),
      install: installHint(options.platform),
      phase: { state: 'idle' },
      said: [],
      pastes: false,
      canFront: false,
      ...(this.program === undefined ? {} : { program: shown(this.program) }),
    })
  }

  /** Ends what runs and starts anew, with another program if one is given. Failures are told in the state. */
  async launch(wanted?: DesktopProgramId): Promise<void> {
    this.finish(this.attempt)
    this.program = choose(this.options.programs, wanted ?? this.program?.id)
    const chosen = this.program
    if (chosen === undefined) {
      this.set({ phase: { state: 'idle' } })
      return
    }
    const attempt: Attempt = { over: false, opening: new AbortController() }
    this.attempt = attempt
    this.credential = undefined
    const { sessionId, endpoint, ...kept } = this.state.get()
    this.state.set({
      ...kept,
      program: shown(chosen),
      said: [],
      pastes: false,
      canFront: false,
      phase: { state: 'opening' },
    })
    try {
      await this.start(attempt, chosen)
    } catch (error) {
      this.finish(attempt, toProblem(error))
    }
  }

  private async start(attempt: Attempt, program: InstalledProgram): Promise<void> {
    const { connection, dataDir, platform, env, warn } = this.options
    const verdict = new Verdict()
    const { stream, sessionId, rdp } = await this.options.open((annotation) => {
      if (attempt.over || verdict.refused) return
      this.hear(annotation)
      verdict.hear(annotation)
      if (annotation.kind === 'ended') {
        attempt.why = fail('session-ended', annotation.reason, { action: 'reconnect' }).problem
      }
    }, attempt.opening.signal)
    attempt.tunnel = stream
    this.follow(attempt, stream, verdict)
    if (attempt.over) {
      this.release(attempt)
      return
    }
    this.set({ sessionId })
    await verdict.allowed((held) => this.set({ phase: held }))
    if (attempt.over) return
    stream.pause()
    this.set({ phase: { state: 'opening' } })
    if (rdp === undefined)
      throw fail('failed', 'The gateway named no certificate for this desktop, so it was not opened.')
    const { username: user, password, certificate } = rdp
    this.credential = { user, password }
    if (program.id === 'viewer') {
      this.view(attempt, stream, rdp)
      return
    }
    const door = await openDoor({ user, entered: (socket) => this.entered(attempt, stream, socket), warn })
    attempt.door = door
    if (stream.destroyed) throw fail('session-ended', 'The gateway closed the session.', { action: 'reconnect' })
    const sealed = await sealPassword(program, password, env)
    const { host, port } = door
    const redirections = redirectionsOf(connection.actions)
    const launch = { program, connection: connection.name, host, port, user, password, certificate, redirections }
    const plan = planLaunch(launch, sealed)
    attempt.file = await writeScratch(dataDir, randomUUID(), plan.file.name, plan.file.text)
    if (attempt.over) {
      this.release(attempt)
      return
    }
    const running = await startProgram(plan, attempt.file.path, env)
    attempt.running = running
    if (attempt.over) {
      this.release(attempt)
      return
    }
    if (this.state.get().phase.state !== 'open') this.set({ phase: { state: 'starting' } })
    this.set({
      endpoint: { host, port },
      pastes: plan.pastes,
      canFront: await canBringToFront(program, platform, env),
    })
    void running.ended.then(({ code, words }) => {
      if (plan.detached && code === 0) return
      const entered = attempt.socket !== undefined
      this.finish(attempt, entered ? undefined : neverCame(program, code, words))
    })
  }

  /** The end of the tunnel is the end of the session, whatever of the rest is there by then. */
  private follow(attempt: Attempt, tunnel: Duplex, verdict: Verdict): void {
    let broken: Error | undefined
    // Until a program is there nothing comes but the end, which is seen only while reading.
    tunnel.resume()
    tunnel.on('error', (error) => {
      broken = error
    })
    tunnel.once('close', () => {
      const problem = broken === undefined ? undefined : toProblem(broken)
      verdict.lost(problem)
      if (attempt.door === undefined && attempt.viewer === undefined) return
      // What the gateway said last still reaches the program, which shows in its own way that its desktop ended.
      attempt.socket?.end()
      this.finish(attempt, problem, attempt.socket === undefined ? 'all' : 'program-stays')
    })
  }

  /** The program is in: its bytes go to the gateway from here on, with back-pressure. The file has served its purpose. */
  private entered(attempt: Attempt, tunnel: Duplex, socket: Socket): void {
    attempt.socket = socket
    void this.removeFile(attempt)
    if (attempt.over || tunnel.destroyed) {
      socket.destroy()
      return
    }
    socket.once('close', () => {
      tunnel.destroy()
      this.finish(attempt)
    })
    socket.pipe(tunnel)
    tunnel.pipe(socket)
    this.set({ phase: { state: 'open', since: new Date().toISOString() }, pastes: false })
  }

  /** The viewer in the page is the program: no endpoint, no file, nothing to start. */
  private view(attempt: Attempt, tunnel: Duplex, rdp: NonNullable<GatewaySession['rdp']>): void {
    attempt.viewer = new ViewerLink({
      tunnel,
      certificate: rdp.certificate,
      user: rdp.username,
      entered: () => this.set({ phase: { state: 'open', since: new Date().toISOString() } }),
      failed: (error) => this.finish(attempt, toProblem(error)),
    })
    this.set({ phase: { state: 'starting' } })
  }

  /** The session's far end for the viewer; a second reader takes what is left. */
  viewer(): ViewerLink {
    const link = this.attempt?.over === false ? this.attempt.viewer : undefined
    if (link === undefined) throw fail('session-ended', 'No session waits for the viewer.', { action: 'reconnect' })
    return link
  }

  private hear(annotation: Annotation): void {
    this.count += 1
    const said = { id: this.count, at: new Date().toISOString(), annotation }
    this.set({ said: [...this.state.get().said, said].slice(-keptSaid) })
  }

  /** The one-time password, while this session waits for its program. */
  password(): { user: string; password: string } {
    if (this.credential === undefined) {
      throw fail('session-ended', 'The one-time password of this session is used up.', { action: 'reconnect' })
    }
    return this.credential
  }

  async front(): Promise<void> {
    const program = this.program
    const { platform, env } = this.options
    const pid = this.attempt?.running?.pid
    if (program === undefined || pid === undefined)
      throw fail('session-ended', 'No program is running for this desktop.')
    await bringToFront(program, pid, platform, env)
  }

  /** Ends the session; the tab can launch another. */
  end(): void {
    this.finish(this.attempt)
  }

  private finish(attempt: Attempt | undefined, problem?: Problem, how: 'all' | 'program-stays' = 'all'): void {
    if (attempt === undefined || attempt.over) return
    attempt.over = true
    this.release(attempt, how)
    if (this.attempt !== attempt) return
    this.credential = undefined
    const { endpoint, ...kept } = this.state.get()
    // What the gateway said counts before how the tunnel broke after it: a write may have been on its way.
    const why = attempt.why ?? problem
    const phase: DesktopPhase = { state: 'ended', ...(why === undefined ? {} : { problem: why }) }
    this.state.set({ ...kept, phase, pastes: false, canFront: false })
  }

  private release(attempt: Attempt, how: 'all' | 'program-stays' = 'all'): void {
    attempt.opening.abort()
    attempt.door?.close()
    if (how === 'all') {
      attempt.socket?.destroy()
      attempt.tunnel?.destroy()
      attempt.running?.stop()
    }
    void this.removeFile(attempt)
  }

  private async removeFile(attempt: Attempt): Promise<void> {
    try {
      await attempt.file?.remove()
    } catch (error) {
      this.options.warn(`a desktop's temporary file was not removed: ${String(error)}`)
    }
  }

  private set(change: Partial<DesktopState>): void {
    this.state.set({ ...this.state.get(), ...change })
  }
}

function shown({ id, name, version }: InstalledProgram): DesktopState['programs'][number] {
  return { id, name, ...(version === undefined ? {} : { version }) }
}

function neverCame(program: InstalledProgram, code: number | undefined, words: string): Problem {
  const how = code === undefined ? '' : ` with status ${code}`
  const said = words === '' ? '' : `: ${words}`
  return fail('failed', `${program.name} ended${how} before it connected${said}`, {
    hint: 'Launch it again, or choose another program.',
    action: 'retry',
  }).problem
}
