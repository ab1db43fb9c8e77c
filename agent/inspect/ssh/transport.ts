import { createHash } from 'node:crypto'
import type { Duplex } from 'node:stream'
import crypto from 'ssh2/lib/protocol/crypto.js'
import Protocol, { type Negotiated } from 'ssh2/lib/protocol/Protocol.js'
import utils from 'ssh2/lib/protocol/utils.js'
import { clientOffer, parsePrivateKey, serverOffer } from './algorithms.ts'
import { encode, FrameError, message, Reader, stderrType } from './frames.ts'

/**
 * An SSH transport: ssh2's key exchange and ciphers, with messages in and out as payloads.
 *
 * ssh2's own Server and Client are not used above it, because an inspector needs what they hide: they accept any amount
 * of data past the window, drop terminal modes, drop input sent before a channel starts, answer unknown channel types and
 * requests without a word to us, and after one blocked write can send a chunk twice when stderr blocks later.
 */
export interface Transport {
  /** Sends a message. Nothing happens once the transport is closed. */
  send(payload: Buffer): void
  /** Sends channel data (`stderr`: extended data), with one copy. The caller minds window and packet size. */
  sendData(recipient: number, stderr: boolean, data: Buffer): void
  /** So much is waiting for the peer to read that data should wait; `drained` tells when it no longer is. */
  readonly congested: boolean
  readonly closed: boolean
  /** Exchange hash of the first key exchange: what authentication signs. */
  readonly sessionId: Buffer
  /** Says goodbye with a reason in words, then closes. `code` is one of `disconnectCode`. */
  close(reason: string, code?: number): void
}

export interface TransportEvents {
  /** Keys are exchanged for the first time. */
  ready(transport: Transport, negotiated: Negotiated): void
  /** A message of authentication or of the connection protocol. A throw closes the transport. */
  payload(payload: Buffer): void
  drained(): void
  /** Once. `reason` is in words. */
  closed(reason: string): void
}

/** Above this many bytes waiting for the peer, data waits in its channel, where the window bounds it. */
const congestedAt = 1 << 20
/** Above this many, we stop reading from that peer: it makes us answer without reading the answers. */
const deafAt = 4 << 20
/** How long a peer may take to read our goodbye. */
const lingerMs = 1000
const ident = 'Sallyport'
/** Why a side leaves. Clients take `byApplication` for an ordinary end and show words with any other. */
export const disconnectCode = { byApplication: 11, noMoreAuthMethods: 14 } as const

/** Serves the transport of a client with our host key (OpenSSH or PEM text). */
export function serverTransport(stream: Duplex, hostKey: string, events: TransportEvents): Transport {
  const key = parsePrivateKey(hostKey, 'The host key')
  const offer = serverOffer(key.type)
  const hostKeys = Object.fromEntries(offer.serverHostKey.map((name) => [name, key]))
  return new ProtocolTransport(
    stream,
    events,
    (hooks) => new Protocol({ ...hooks, server: true, ident, offer, hostKeys }),
  )
}

/**
 * Opens a transport to a target. The host key must be one of `hostKeys` (`SHA256:…`): an unknown one closes the
 * transport with a reason that names both.
 */
export function clientTransport(stream: Duplex, hostKeys: readonly string[], events: TransportEvents): Transport {
  return new ProtocolTransport(stream, events, (hooks, refuse) => {
    const hostVerifier = (key: Buffer): boolean => {
      const seen = fingerprint(key)
      if (hostKeys.includes(seen)) return true
      refuse(`The host showed the key ${seen}, which is not one that this connection trusts. Nothing was sent to it.`)
      return false
    }
    return new Protocol({ ...hooks, server: false, ident, offer: clientOffer(), hostVerifier })
  })
}

/** `SHA256:…` of a public key blob, as ssh-keygen prints it. */
export function fingerprint(publicKey: Buffer): string {
  return `SHA256:${createHash('sha256').update(publicKey).digest('base64').replace(/=+$/, '')}`
}

interface Hooks {
  onWrite(data: Buffer): void
  onError(error: Error): void
  onHandshakeComplete(negotiated: Negotiated): void
}

class ProtocolTransport implements Transport {
  readonly #stream: Duplex
  readonly #events: TransportEvents
  readonly #protocol: Protocol
  #closed = false
  #ready = false
  #corked = false
  #congested = false
  #refusal: string | undefined

  constructor(
    stream: Duplex,
    events: TransportEvents,
    create: (hooks: Hooks, refuse: (why: string) => void) => Protocol,
  ) {
    this.#stream = stream
    this.#events = events
    const hooks: Hooks = {
      onWrite: (data) => this.#write(data),
      onError: (error) => this.#shut(this.#refusal ?? words(error)),
      onHandshakeComplete: (negotiated) => {
        if (this.#ready) return
        this.#ready = true
        this.#events.ready(this, negotiated)
      },
    }
    this.#protocol = create(hooks, (why) => {
      this.#refusal = why
    })
    const original = this.#protocol._onPayload
    this.#protocol._onPayload = (payload) => {
      const type = payload[0]
      if (type === undefined) return undefined
      if (isOurs(type)) {
        this.#events.payload(payload)
        return this.#closed ? false : undefined
      }
      if (type === message.disconnect) {
        this.#onDisconnect(payload)
        return false
      }
      return original(payload)
    }
    stream.pause()
    stream.on('data', (chunk: Buffer) => this.#onData(chunk))
    stream.on('drain', () => this.#onDrain())
    stream.on('error', (error) => this.#shut(words(error)))
    stream.on('end', () => this.#shut('the connection was closed'))
    stream.on('close', () => this.#shut('the connection was closed'))
    crypto.init.then(
      () => {
        if (this.#closed) return
        this.#protocol.start()
        stream.resume()
      },
      (error: unknown) => this.#shut(words(error)),
    )
  }

  get congested(): boolean {
    return this.#congested
  }

  get closed(): boolean {
    return this.#closed
  }

  get sessionId(): Buffer {
    const id = this.#protocol._kex?.sessionID
    if (id === undefined) throw new Error('no key exchange yet')
    return id
  }

  send(payload: Buffer): void {
    if (this.#closed) return
    const { write } = this.#protocol._packetRW
    const packet = write.alloc(payload.length)
    packet.set(payload, write.allocStart)
    utils.sendPacket(this.#protocol, write.finalize(packet))
  }

  sendData(recipient: number, stderr: boolean, data: Buffer): void {
    if (this.#closed) return
    const { write } = this.#protocol._packetRW
    const header = stderr ? 13 : 9
    const packet = write.alloc(header + data.length)
    let at = write.allocStart
    packet[at] = stderr ? message.channelExtendedData : message.channelData
    at = packet.writeUInt32BE(recipient, at + 1)
    if (stderr) at = packet.writeUInt32BE(stderrType, at)
    at = packet.writeUInt32BE(data.length, at)
    packet.set(data, at)
    utils.sendPacket(this.#protocol, write.finalize(packet))
  }

  close(reason: string, code: number = disconnectCode.byApplication): void {
    if (this.#closed) return
    // In the middle of a key exchange a message would wait for its end; ssh2's own goodbye does not, but has no words.
    if (this.#protocol._kexinit !== undefined) this.#protocol.disconnect(code)
    else this.send(encode(message.disconnect, [code, reason, '']))
    this.#shut(reason)
  }

  #write(data: Buffer): void {
    if (this.#closed || !this.#stream.writable) return
    if (!this.#corked) {
      // One system call for all that one turn of the loop sends.
      this.#corked = true
      this.#stream.cork()
      process.nextTick(() => {
        this.#corked = false
        this.#stream.uncork()
      })
    }
    this.#stream.write(data)
    const waiting = this.#stream.writableLength
    if (waiting > congestedAt) this.#congested = true
    if (waiting > deafAt) this.#stream.pause()
  }

  #onData(chunk: Buffer): void {
    if (this.#closed) return
    try {
      this.#protocol.parse(chunk, 0, chunk.length)
    } catch (error) {
      if (this.#closed) return
      const reason = error instanceof FrameError ? `The peer broke the protocol: ${error.message}.` : words(error)
      this.close(reason)
    }
  }

  #onDrain(): void {
    if (this.#closed) return
    if (this.#stream.isPaused()) this.#stream.resume()
    if (!this.#congested) return
    this.#congested = false
    this.#events.drained()
  }

  #onDisconnect(payload: Buffer): void {
    const r = new Reader(payload, 1)
    const code = r.u32()
    const description = r.bytes().toString()
    this.#shut(code === disconnectCode.byApplication || description === '' ? 'the connection was closed' : description)
  }

  #shut(reason: string): void {
    if (this.#closed) return
    this.#closed = true
    this.#stream.resume()
    this.#stream.end()
    const timer = setTimeout(() => this.#stream.destroy(), lingerMs)
    this.#stream.once('close', () => clearTimeout(timer))
    // Not within its own parse: the decipher is still in use there.
    setImmediate(() => this.#protocol.cleanup())
    this.#events.closed(reason)
  }
}

/** Authentication and connection messages are ours; key exchange and housekeeping are ssh2's. */
function isOurs(type: number): boolean {
  return type >= 50 || type === message.serviceRequest || type === message.serviceAccept || type === message.extInfo
}

function words(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
