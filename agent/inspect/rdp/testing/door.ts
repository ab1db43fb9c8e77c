import { connect, createServer, type Socket } from 'node:net'
import { generate } from 'selfsigned'
import type { Annotation } from '../../../../shared/annotation.ts'
import type { Decision } from '../../../../shared/decision.ts'
import type { HoldOutcome, HoldRequest, SessionEnd } from '../../../../shared/link.ts'
import type { RecordingEvent } from '../../../../shared/recording.ts'
import type { DecisionRequest, InspectorPort } from '../../port.ts'
import type { InspectorSession } from '../../session.ts'
import { createStudio } from '../picture/studio.ts'
import { serveRdp } from '../session.ts'
import type { Identity, RdpTarget } from '../tls.ts'

export const credential = { username: 'sptest234', password: 'a-password-for-one-session' }
export const allow: Decision = { verdict: 'allow', policies: [{ id: 'open', reason: 'Yes.' }] }
export const block: Decision = { verdict: 'block', policy: { id: 'closed', reason: 'No.' } }

/** One person at one desktop, in memory: what they may do can be changed while sessions run. */
export class TestPort implements InspectorPort {
  readonly sessionId = 'session'
  readonly principal = { kind: 'user' as const, id: 'ada', name: 'Ada', groups: ['engineers'] }
  readonly connection = { name: 'desk-1', kind: 'rdp' as const, environment: 'production' as const, tags: [] }
  readonly annotations = 'machine'
  epoch = 1
  readonly events: RecordingEvent[] = []
  readonly said: Annotation[] = []
  readonly holds: { request: HoldRequest; settle(outcome: HoldOutcome): void }[] = []
  rule: (request: DecisionRequest) => Decision = () => allow
  onRecord: (event: RecordingEvent) => Promise<void> | undefined = () => undefined
  readonly #began = performance.now()

  decide(request: DecisionRequest): Decision {
    return this.rule(request)
  }

  sensitivity(): undefined {
    return undefined
  }

  classOf(): undefined {
    return undefined
  }

  classesIn(): readonly string[] {
    return []
  }

  redact(text: string): string {
    return text.replaceAll(/\d{3}-\d{2}-\d{4}/g, '***')
  }

  textMasks(): [] {
    return []
  }

  recordMasks(): [] {
    return []
  }

  grant(): undefined {
    return undefined
  }

  elapsed(): number {
    return performance.now() - this.#began
  }

  record(event: RecordingEvent): Promise<void> | undefined {
    this.events.push(event)
    return this.onRecord(event)
  }

  async hold(request: HoldRequest) {
    const { promise, resolve } = Promise.withResolvers<HoldOutcome>()
    this.holds.push({ request, settle: resolve })
    return {
      requestId: 'request',
      expiresAt: '2030-01-01T00:00:00Z',
      outcome: promise,
      cancel: () => resolve({ kind: 'cancelled' }),
    }
  }

  started(): void {}

  annotate(annotation: Annotation): void {
    this.said.push(annotation)
  }
}

export async function makeIdentity(name: string): Promise<Identity> {
  const { private: key, cert } = await generate([{ name: 'commonName', value: name }], { algorithm: 'sha256' })
  return { key, certificate: cert }
}

export interface Door {
  port: number
  sessions: InspectorSession[]
  ends: Promise<SessionEnd>[]
  close(): Promise<void>
}

/** A TCP port behind which the inspector waits, as it does behind a tunnel. */
export async function openDoor(
  target: RdpTarget,
  identity: Identity,
  makePort: () => TestPort,
  studio = createStudio(),
): Promise<Door> {
  const sessions: InspectorSession[] = []
  const ends: Promise<SessionEnd>[] = []
  const server = createServer((client) => {
    const session = serveRdp({
      client,
      dial: () => dial(target),
      target,
      identity,
      credential,
      studio,
      port: makePort(),
    })
    sessions.push(session)
    ends.push(session.done)
  })
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      resolve(address !== null && typeof address === 'object' ? address.port : 0)
    })
  })
  return {
    port,
    sessions,
    ends,
    async close() {
      for (const session of sessions) session.end('The test is over.')
      await Promise.all(ends)
      server.close()
      await studio.close()
    },
  }
}

function dial({ host, port }: RdpTarget): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, noDelay: true })
    socket.once('error', reject)
    socket.once('connect', () => {
      socket.on('error', () => socket.destroy())
      resolve(socket)
    })
  })
}
