import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import type { RdpCredential, SessionEnd } from '../../../shared/link.ts'
import type { InspectorPort } from '../port.ts'
import type { InspectorSession } from '../session.ts'
import { Gate } from './admit.ts'
import { purposeOf, requestsOf } from './classify.ts'
import {
  connectionConfirm,
  connectionFailure,
  connectionRequest,
  parseConnectionConfirm,
  parseConnectionRequest,
  protocol,
  RdpError,
} from './frames.ts'
import { type Channel, clientSettings, parseClientSettings, parseServerSettings, serverSettings } from './gcc.ts'
import { signInByNla } from './nla/sign-in.ts'
import type { Studio } from './picture/studio.ts'
import { readPdu } from './read-pdu.ts'
import { Relay } from './relay.ts'
import { same } from './same.ts'
import { type Identity, type RdpTarget, secureClient, secureTarget } from './tls.ts'

export interface RdpSessionOptions {
  client: Duplex
  /** Opens a stream to the target's address; rejects with a reason in words. */
  dial(): Promise<Duplex>
  target: RdpTarget
  /** Who the inspector is to the client. */
  identity: Identity
  /** What the client has to sign in with; without it nobody gets in. */
  credential: RdpCredential | undefined
  studio: Studio
  port: InspectorPort
}

/** The program has to say its first word within this time after the desktop was allowed: it may have to be started first. */
export const beginDeadlineMs = 60_000
/** From there to being signed in on the target. */
export const signInDeadlineMs = 30_000
/** Longest Connection Request, Connect Initial and Connect Response. */
const limits = { request: 1_024, initial: 16_384, response: 16_384 } as const
/** How long a peer may take to read our goodbye. */
const lingerMs = 2_000

/** Serves a desktop: opens it when policy allows, signs the client in, and stays in the middle. */
export function serveRdp(options: RdpSessionOptions): InspectorSession {
  const session = new RdpSession(options)
  void session.run()
  return { end: (reason) => session.end(reason), done: session.done }
}

class RdpSession {
  readonly done: Promise<SessionEnd>
  readonly #options: RdpSessionOptions
  readonly #gate: Gate
  readonly #stop = new AbortController()
  readonly #streams: Duplex[]
  #settle: (end: SessionEnd) => void = () => undefined
  #relay: Relay | undefined
  #reason: string | undefined

  constructor(options: RdpSessionOptions) {
    this.#options = options
    const { client, port, target } = options
    this.#gate = new Gate(port, target.user)
    this.#streams = [client]
    this.done = new Promise((resolve) => {
      this.#settle = resolve
    })
    client.once('close', () => this.end('The client left.', 'over'))
    client.on('error', () => client.destroy())
  }

  /** `how`: a desktop that was left or closed is over; anything else is told to the client, before the goodbye in the protocol. */
  end(reason: string, how: 'over' | 'cut off' = 'cut off'): void {
    if (this.#reason !== undefined) return
    this.#reason = reason
    this.#stop.abort(new Error(reason))
    if (how === 'cut off') this.#options.port.annotate?.({ kind: 'ended', reason })
    void this.#finish(reason)
  }

  async run(): Promise<void> {
    try {
      const refusal = await this.#gate.connect(this.#stop.signal)
      if (this.#reason !== undefined) return
      if (refusal !== undefined) return this.end(refusal)
      await this.#connect()
    } catch (error) {
      this.end(inWords(error))
    }
  }

  async #connect(): Promise<void> {
    const { client, credential, identity, port, target, studio } = this.#options
    const begin = this.#deadline(beginDeadlineMs, 'No client began within a minute.')
    const first = await readPdu(client, { signal: begin.signal, limit: limits.request, more: false, who: 'client' })
    begin.clear()
    if (credential === undefined) throw new RdpError('there is nothing that a client could sign in with')
    const { cookie, protocols } = parseConnectionRequest(first)
    if (cookie !== undefined && !(cookie.kind === 'user' && same(cookie.user, credential.username))) {
      throw new RdpError('a program that does not belong to this session tried to use it')
    }
    if ((protocols & (protocol.tls | protocol.credssp)) === 0) {
      client.write(connectionFailure(1))
      throw new RdpError('the client does not speak TLS')
    }
    const signIn = this.#deadline(signInDeadlineMs, 'Nobody signed in for too long.')
    try {
      client.write(connectionConfirm(protocol.tls))
      const front = await secureClient(client, identity, signIn.signal)
      this.#streams.push(front)
      const initial = await readPdu(front, { signal: signIn.signal, limit: limits.initial, more: false, who: 'client' })
      const asked = parseClientSettings(initial)
      const channels = await this.#channels(asked.channels)
      const { back, selected } = await this.#dial(signIn.signal)
      const allowed = asked.channels.filter((_, i) => channels[i] === true)
      back.write(clientSettings(asked, allowed, selected))
      const response = await readPdu(back, {
        signal: signIn.signal,
        limit: limits.response,
        more: false,
        who: 'target',
      })
      const given = parseServerSettings(response)
      if (given.channels.length < allowed.length) throw new RdpError('the target gives fewer channels than it should')
      const ids = idsOf(channels, given.channels, given.ioChannel)
      if (this.#reason !== undefined) return
      front.write(
        serverSettings(
          given,
          ids.map(({ id }) => id),
          protocols,
        ),
      )
      this.#relay = new Relay({
        front,
        back,
        port,
        gate: this.#gate,
        studio,
        credential,
        target,
        ioChannel: given.ioChannel,
        channels: asked.channels.map((channel, i) => ({
          ...channel,
          id: ids[i]?.id ?? 0,
          ghost: ids[i]?.ghost ?? true,
        })),
        signedIn: () => signIn.clear(),
        end: (reason, how) => this.end(reason, how),
      })
      // The relay goes on by itself; the deadline does too, until the target has let us in.
      signIn.signal.addEventListener('abort', () => this.end(inWords(signIn.signal.reason)), { once: true })
    } catch (error) {
      signIn.clear()
      throw error
    }
  }

  /** Which of the channels that the client asks for it gets. Every refusal is recorded and told. */
  async #channels(asked: readonly Channel[]): Promise<boolean[]> {
    const got: boolean[] = []
    const seen = new Set<string>()
    for (const channel of asked) {
      const purpose = purposeOf(channel)
      const requests = requestsOf(purpose)
      let any = purpose.kind === 'dynamic' && !seen.has(channel.name)
      // A name twice would be a channel that the filter of the first one does not see.
      if (!seen.has(channel.name)) for (const request of requests) any = (await this.#gate.ask(request)) || any
      seen.add(channel.name)
      got.push(any)
    }
    return got
  }

  /** A target that chooses Network Level Authentication is signed in to here already; any other one by the relay. */
  async #dial(signal: AbortSignal): Promise<{ back: TLSSocket; selected: number }> {
    const { dial, target } = this.#options
    const raw = await dial()
    this.#streams.push(raw)
    raw.once('close', () => this.end('The target closed the connection.'))
    if (signal.aborted) {
      raw.destroy()
      throw signal.reason
    }
    raw.write(connectionRequest(protocol.tls | protocol.credssp))
    const answer = await readPdu(raw, { signal, limit: limits.request, more: false, who: 'target' })
    const confirm = parseConnectionConfirm(answer)
    if (confirm.kind === 'failure') throw new RdpError(failureWords(confirm.code))
    const selected = confirm.protocol
    if (selected !== protocol.tls && selected !== protocol.credssp) {
      throw new RdpError('the target does not speak TLS, so nothing was sent to it')
    }
    const back = await secureTarget(raw, target, signal)
    this.#streams.push(back)
    if (selected === protocol.credssp) await signInByNla(back, target, signal)
    return { back, selected }
  }

  #deadline(ms: number, words: string): { signal: AbortSignal; clear(): void } {
    const controller = new AbortController()
    const timer = setTimeout(() => controller.abort(new Error(words)), ms)
    const stop = (): void => controller.abort(this.#stop.signal.reason)
    this.#stop.signal.addEventListener('abort', stop, { once: true })
    if (this.#stop.signal.aborted) stop()
    return {
      signal: controller.signal,
      clear: () => {
        clearTimeout(timer)
        this.#stop.signal.removeEventListener('abort', stop)
      },
    }
  }

  async #finish(reason: string): Promise<void> {
    const relay = this.#relay
    const goodbye = relay?.goodbye()
    for (const stream of this.#streams) if (stream !== this.#options.client) stream.end()
    const { client } = this.#options
    if (goodbye === undefined) client.end()
    const timer = setTimeout(() => {
      for (const stream of this.#streams) stream.destroy()
    }, lingerMs)
    await relay?.close()
    if (!client.destroyed) await new Promise((resolve) => client.once('close', resolve))
    clearTimeout(timer)
    for (const stream of this.#streams) stream.destroy()
    this.#settle({ reason, bytesOut: relay?.bytesOut ?? 0, bytesIn: relay?.bytesIn ?? 0 })
  }
}

/** A channel that was not given gets an id all the same, which the target does not know: clients count on one for each. */
function idsOf(
  allowed: readonly boolean[],
  given: readonly number[],
  ioChannel: number,
): { id: number; ghost: boolean }[] {
  const taken = new Set([...given, ioChannel])
  let next = 0
  let ghost = 0xefff
  return allowed.map((isAllowed) => {
    const id = isAllowed ? given[next++] : 0
    if (id !== undefined && id !== 0) return { id, ghost: false }
    do ghost--
    while (taken.has(ghost))
    return { id: ghost, ghost: true }
  })
}

/** RDP Negotiation Failure (MS-RDPBCGR 2.2.1.2.2). */
function failureWords(code: number): string {
  return `the target speaks neither TLS nor Network Level Authentication (negotiation failure ${code}), so nothing was sent to it`
}

function inWords(error: unknown): string {
  const words = error instanceof Error ? error.message : String(error)
  return /^[A-Z]/.test(words) ? words : `The desktop can't go on: ${words}.`
}
