import type { Duplex } from 'node:stream'
import type { SessionEnd, Target } from '../../../shared/link.ts'
import type { RecordingEvent } from '../../../shared/recording.ts'
import type { InspectorPort } from '../port.ts'
import { SessionChannel } from './channel.ts'
import type { ChannelHost } from './channel-host.ts'
import { packetSize, windowSize } from './flow.ts'
import {
  type ConnectionMessage,
  decodeConnection,
  encode,
  FrameError,
  message,
  openFailure,
  Reader,
  stderrType,
} from './frames.ts'
import { connectTarget } from './target.ts'
import { tracked } from './tracked.ts'
import type { Transport } from './transport.ts'
import { recordingFailed } from './words.ts'

export interface RelayOptions {
  client: Transport
  dial(): Promise<Duplex>
  target: Extract<Target, { kind: 'ssh' }>
  port: InspectorPort
}

/** As sshd's MaxSessions, with room for windows of an editor. */
const maxChannels = 32
/** A client that is refused this often is not asking any more. */
const maxRefusals = 100
/** How soon a revoked grant or a changed policy ends what runs by it. */
const recheckMs = 500
/** A peer that answers nothing for this long, asked three times, is gone. */
const keepaliveMs = 15_000
const maxMissed = 3
/** Once told that the host is out of reach, a client has this long to leave. */
const lingerMs = 5000

/**
 * The connection protocol between a client that was let in and its target. Session channels are relayed, each request
 * decided first; every other kind of channel and global request is refused, whatever else is pending.
 */
export class Relay {
  readonly done: Promise<SessionEnd>
  readonly #client: Transport
  readonly #port: InspectorPort
  readonly #account: string
  readonly #target: Promise<Transport>
  readonly #aborted = new AbortController()
  readonly #channels = new Map<number, SessionChannel>()
  /** By our number toward the target; it is the channel's own number toward the client. */
  readonly #onTarget = new Map<number, SessionChannel>()
  readonly #stored = new Set<Promise<void>>()
  readonly #recheckTimer: NodeJS.Timeout
  readonly #keepaliveTimer: NodeJS.Timeout
  #targetTransport: Transport | undefined
  #nextChannel = 0
  #requests = 0
  #refusals = 0
  #noMoreSessions = false
  #epoch: number
  #missed = { client: 0, target: 0 }
  #bytesOut = 0
  #bytesIn = 0
  #ended = false
  #resolve: (end: SessionEnd) => void = () => undefined

  constructor({ client, dial, target, port }: RelayOptions) {
    this.#client = client
    this.#port = tracked(port, (stored) => this.#track(stored))
    this.#account = target.user
    this.#epoch = port.epoch
    this.done = new Promise((resolve) => {
      this.#resolve = resolve
    })
    this.#target = connectTarget({
      dial,
      user: target.user,
      privateKey: target.privateKey,
      hostKeys: target.hostKeys,
      signal: this.#aborted.signal,
      events: {
        payload: (payload) => this.#fromTarget(payload),
        drained: () => this.#drained(),
        closed: (reason) => this.#end(`The host closed the connection: ${reason}`),
      },
    })
    this.#target.then(
      (transport) => {
        if (this.#ended) {
          transport.close('The session ended.')
          return
        }
        this.#targetTransport = transport
        port.started({ user: target.user })
      },
      (error: unknown) => this.#unreachable(error instanceof Error ? error.message : String(error)),
    )
    this.#recheckTimer = setInterval(() => this.#recheck(), recheckMs)
    this.#keepaliveTimer = setInterval(() => this.#keepalive(), keepaliveMs)
  }

  /** A connection message of the client. Throws FrameError when it breaks the protocol. */
  fromClient(payload: Buffer): void {
    this.#missed.client = 0
    if (this.#ended) return
    const m = decodeConnection(payload)
    if (m === undefined) throw new FrameError('a message that is out of place')
    switch (m.type) {
      case 'global-request':
        this.#globalRequest(m)
        return
      case 'request-reply':
      case 'open-confirmed':
      case 'open-failed':
      case 'reply':
        // Keepalive answers; we open nothing toward a client and ask nothing of its channels.
        return
      case 'open':
        this.#open(m)
        return
      case 'extended-data':
        throw new FrameError('stderr from a client')
      case 'window':
        this.#channels.get(m.recipient)?.clientWindow(m.bytes)
        return
      case 'data':
        this.#channels.get(m.recipient)?.clientData(m.data)
        return
      case 'eof':
        this.#channels.get(m.recipient)?.clientEof()
        return
      case 'close':
        this.#channels.get(m.recipient)?.clientClose()
        return
      case 'request':
        this.#channels.get(m.recipient)?.clientRequest(m.name, m.wantReply, m.data)
        return
      default:
        m satisfies never
    }
  }

  clientDrained(): void {
    this.#drained()
  }

  clientClosed(reason: string): void {
    this.#end(`The client left: ${reason}`)
  }

  /** Ends the session now, and tells the person why on every channel. */
  end(reason: string): void {
    this.#end(reason)
  }

  #fromTarget(payload: Buffer): void {
    this.#missed.target = 0
    const transport = this.#targetTransport
    if (this.#ended || transport === undefined) return
    const m = decodeConnection(payload)
    if (m === undefined) throw new FrameError('a message that is out of place')
    switch (m.type) {
      case 'global-request':
        if (m.wantReply) transport.send(encode(message.requestFailure, []))
        return
      case 'request-reply':
        return
      case 'open':
        // forwarded-tcpip, x11, auth-agent: nothing that a host may open toward a person.
        transport.send(encode(message.channelOpenFailure, [m.sender, openFailure.prohibited, 'not let through', '']))
        return
      case 'open-confirmed':
        this.#onTarget.get(m.recipient)?.targetOpened(transport, m.sender, m.window, m.maxPacket)
        return
      case 'open-failed': {
        const channel = this.#onTarget.get(m.recipient)
        this.#onTarget.delete(m.recipient)
        channel?.targetRefused(m.description)
        return
      }
      case 'window':
        this.#onTarget.get(m.recipient)?.targetWindow(m.bytes)
        return
      case 'data':
        this.#onTarget.get(m.recipient)?.targetData(transport, m.data, false)
        return
      case 'extended-data':
        if (m.kind !== stderrType) throw new FrameError('data that is neither stdout nor stderr')
        this.#onTarget.get(m.recipient)?.targetData(transport, m.data, true)
        return
      case 'eof':
        this.#onTarget.get(m.recipient)?.targetEof()
        return
      case 'close': {
        const channel = this.#onTarget.get(m.recipient)
        this.#onTarget.delete(m.recipient)
        channel?.targetClose()
        return
      }
      case 'request':
        this.#onTarget.get(m.recipient)?.targetRequest(transport, m.name, m.wantReply, m.data)
        return
      case 'reply':
        this.#onTarget.get(m.recipient)?.targetReply(m.ok)
        return
      default:
        m satisfies never
    }
  }

  #open(m: Extract<ConnectionMessage, { type: 'open' }>): void {
    if (m.channelType !== 'session') {
      this.#refused(describeChannel(m.channelType, m.data), 'the door opens no other channels than sessions')
      this.#refuseOpen(
        m.sender,
        openFailure.prohibited,
        `${m.channelType} is not let through: only shells, commands and sftp are`,
      )
    } else if (this.#noMoreSessions) {
      this.#refuseOpen(m.sender, openFailure.prohibited, 'the client said that it would open no more')
    } else if (this.#channels.size >= maxChannels) {
      this.#refuseOpen(m.sender, openFailure.resourceShortage, `a session has ${maxChannels} channels at most`)
    } else {
      const id = this.#nextChannel
      this.#nextChannel += 1
      this.#channels.set(id, new SessionChannel(this.#host, id, m.sender, m.window, m.maxPacket))
    }
  }

  #refuseOpen(sender: number, code: number, why: string): void {
    this.#client.send(encode(message.channelOpenFailure, [sender, code, why, '']))
  }

  #globalRequest(m: Extract<ConnectionMessage, { type: 'global-request' }>): void {
    switch (m.name) {
      case 'no-more-sessions@openssh.com':
        this.#noMoreSessions = true
        if (m.wantReply) this.#client.send(encode(message.requestSuccess, []))
        return
      case 'tcpip-forward':
      case 'streamlocal-forward@openssh.com':
        this.#refused(m.name, 'the door forwards no ports')
        break
      default:
    }
    if (m.wantReply) this.#client.send(encode(message.requestFailure, []))
  }

  /** Puts something that was refused out of hand on the recording. */
  #refused(what: string, why: string): void {
    this.#refusals += 1
    if (this.#refusals > maxRefusals) {
      this.#end('The client kept asking for what is not let through.')
      return
    }
    this.#requests += 1
    const policy = { id: 'ssh-sessions-only', reason: why }
    const text = this.#port.redact(what)
    this.#record({
      type: 'request',
      at: this.#port.elapsed(),
      n: this.#requests,
      action: 'ssh:forward',
      text,
      outcome: 'blocked',
      policy,
    })
  }

  readonly #host: ChannelHost<SessionChannel> = this.#makeHost()

  #makeHost(): ChannelHost<SessionChannel> {
    const relay = this
    return {
      get port() {
        return relay.#port
      },
      get client() {
        return relay.#client
      },
      get account() {
        return relay.#account
      },
      target: () => this.#target,
      openOnTarget: (channel) => {
        this.#onTarget.set(channel.id, channel)
        this.#targetTransport?.send(encode(message.channelOpen, ['session', channel.id, windowSize, packetSize]))
      },
      nextRequest: () => {
        this.#requests += 1
        return this.#requests
      },
      refused: (what, why) => this.#refused(what, why),
      finished: (channel) => {
        this.#channels.delete(channel.id)
      },
      moved: (toClient, toTarget) => {
        this.#bytesOut += toClient
        this.#bytesIn += toTarget
      },
      failed: (reason) => this.#end(reason),
    }
  }

  #unreachable(reason: string): void {
    if (this.#ended) return
    // Channels say so by themselves, and so do those still to come; then there is nothing to stay for.
    setTimeout(() => this.#end(reason), this.#channels.size > 0 ? lingerMs / 10 : lingerMs).unref()
  }

  #drained(): void {
    for (const channel of this.#channels.values()) channel.drained()
  }

  #recheck(): void {
    if (this.#port.epoch === this.#epoch) return
    this.#epoch = this.#port.epoch
    for (const channel of this.#channels.values()) channel.recheck()
  }

  #keepalive(): void {
    const ask = encode(message.globalRequest, ['keepalive@openssh.com', true])
    this.#missed.client += 1
    if (this.#missed.client > maxMissed) {
      this.#end('The client stopped answering.')
      return
    }
    this.#client.send(ask)
    if (this.#targetTransport === undefined) return
    this.#missed.target += 1
    if (this.#missed.target > maxMissed) this.#end('The host stopped answering.')
    else this.#targetTransport.send(ask)
  }

  #record(event: RecordingEvent): void {
    try {
      this.#port.record(event)?.catch((error: unknown) => this.#end(recordingFailed(error)))
    } catch (error) {
      this.#end(recordingFailed(error))
    }
  }

  /** The session is over only once all that it recorded is stored. */
  #track(stored: Promise<void>): void {
    const settled = stored.then(
      () => undefined,
      () => undefined,
    )
    this.#stored.add(settled)
    settled.then(() => this.#stored.delete(settled))
  }

  #end(reason: string): void {
    if (this.#ended) return
    this.#ended = true
    clearInterval(this.#recheckTimer)
    clearInterval(this.#keepaliveTimer)
    for (const channel of this.#channels.values()) {
      channel.stop(reason)
      channel.severed(reason)
    }
    this.#record({ type: 'end', at: this.#port.elapsed(), reason })
    this.#client.close(reason)
    this.#targetTransport?.close('The session ended.')
    this.#aborted.abort()
    const end = { reason, bytesOut: this.#bytesOut, bytesIn: this.#bytesIn }
    Promise.all(this.#stored).then(() => this.#resolve(end))
  }
}

function describeChannel(type: string, data: Buffer): string {
  if (type !== 'direct-tcpip') return type
  try {
    const r = new Reader(data)
    return `direct-tcpip to ${r.text()}:${r.u32()}`
  } catch (error) {
    if (error instanceof FrameError) return type
    throw error
  }
}
