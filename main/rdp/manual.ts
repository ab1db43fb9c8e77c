import type { Duplex } from 'node:stream'
import type { Annotation } from '../../shared/annotation.ts'
import type { GatewaySession } from '../gateway/session.ts'
import { fail, type ProblemError, toProblem } from '../problem.ts'
import { openDoor } from './door.ts'
import { Verdict } from './verdict.ts'

/** A desktop session for a program that the person starts on their own. */
export interface ManualDesktop {
  host: string
  port: number
  /** Good once, at this endpoint. */
  user: string
  password: string
  /** SHA-256 of the certificate that the program is to trust, `AA:BB:…`. */
  certificate: string
  /** Resolves when the session is over; with what ended it, where that was not the person. */
  readonly ended: Promise<ProblemError['problem'] | undefined>
  close(): void
}

/** Opens a desktop and its endpoint, and starts nothing. Waits for an approval where policy wants one. Rejects with a ProblemError. */
export async function openManually(
  open: (said: (annotation: Annotation) => void) => Promise<GatewaySession>,
  hear: (annotation: Annotation) => void,
  warn: (message: string) => void,
): Promise<ManualDesktop> {
  const verdict = new Verdict()
  const { stream, rdp } = await open((annotation) => {
    if (verdict.refused) return
    hear(annotation)
    verdict.hear(annotation)
  })
  const ended = endOf(stream, verdict)
  await verdict.allowed(() => {})
  if (rdp === undefined)
    throw fail('failed', 'The gateway named no certificate for this desktop, so it was not opened.')
  stream.pause()
  const door = await openDoor({
    user: rdp.username,
    entered: (socket) => {
      socket.once('close', () => stream.destroy())
      stream.once('close', () => socket.end())
      socket.pipe(stream)
      stream.pipe(socket)
    },
    warn,
  })
  stream.once('close', () => door.close())
  const { username: user, password, certificate } = rdp
  return { host: door.host, port: door.port, user, password, certificate, ended, close: () => void stream.destroy() }
}

function endOf(stream: Duplex, verdict: Verdict): ManualDesktop['ended'] {
  return new Promise((resolve) => {
    let broken: Error | undefined
    stream.resume()
    stream.on('error', (error) => {
      broken = error
    })
    stream.once('close', () => {
      const problem = broken === undefined ? undefined : toProblem(broken)
      verdict.lost(problem)
      resolve(problem)
    })
  })
}
