import type { Duplex, Writable } from 'node:stream'
import { connect, type TLSSocket } from 'node:tls'
import { fail, ProblemError } from '../problem.ts'
import { AsyncQueue } from '../queue.ts'
import { readCleanPath, writeCleanPath } from './clean-path.ts'
import { readEntry } from './entry.ts'

export interface ViewerOptions {
  /** The session's tunnel, allowed and not used yet. */
  tunnel: Duplex
  /** SHA-256 of the inspector's certificate, `AA:BB:…`. */
  certificate: string
  /** The one-time name that the viewer says in its first packet, as every program does. */
  user: string
  /** TLS is up and verified: the viewer is in. */
  entered(): void
  failed(error: unknown): void
}

/** Unread bytes for the page before the desktop has to wait. */
const maxUnread = 4 * 1024 * 1024
/** Longest Connection Confirm that is read. */
const maxConfirm = 1024
const negotiateMs = 30_000

/**
 * The far end of the viewer in the page: answers its RDCleanPath request, ends TLS with the inspector, whose certificate it verifies,
 * and passes the bytes in between. No other program can come in: there is no endpoint.
 */
export class ViewerLink {
  readonly #options: ViewerOptions
  readonly #queue = new AsyncQueue<Buffer>(() => this.#resume())
  #unread = 0
  #tls: TLSSocket | undefined
  #begun = false

  constructor(options: ViewerOptions) {
    this.#options = options
    options.tunnel.once('close', () => this.#queue.end())
  }

  /** What the viewer is to receive; ends with the session. */
  async *read(signal?: AbortSignal): AsyncGenerator<Buffer, void, void> {
    for await (const bytes of this.#queue.until(signal)) {
      this.#unread -= bytes.length
      if (this.#unread < maxUnread) this.#resume()
      yield bytes
    }
  }

  /** A message of the viewer's. Resolves when there is room for more; rejects with a ProblemError. */
  async send(bytes: Buffer): Promise<void> {
    const tls = this.#tls
    if (tls !== undefined) {
      if (tls.destroyed) throw fail('session-ended', 'The desktop session has ended.', { action: 'reconnect' })
      if (!tls.write(bytes)) await drained(tls)
      return
    }
    if (this.#begun) throw fail('bad-input', 'The viewer spoke before its connection was there.')
    this.#begun = true
    try {
      await this.#negotiate(bytes)
    } catch (error) {
      this.#options.failed(error)
      throw error
    }
  }

  async #negotiate(message: Buffer): Promise<void> {
    const { tunnel, certificate, user, entered } = this.#options
    const request = readCleanPath(message)
    const entry = request === undefined ? undefined : readEntry(request)
    if (request === undefined || entry?.kind !== 'request' || (entry.user !== '' && entry.user !== user)) {
      throw fail('bad-input', 'The viewer did not ask for a connection in a way that is known.')
    }
    tunnel.write(request)
    const confirm = await readConfirm(tunnel)
    const tls = await secure(tunnel, certificate)
    this.#tls = tls
    tls.on('data', (bytes: Buffer) => this.#push(bytes))
    tls.on('error', (error) => this.#options.failed(error))
    tls.once('close', () => tunnel.destroy())
    entered()
    this.#push(writeCleanPath(confirm, [tls.getPeerCertificate().raw], 'sallyport'))
  }

  #push(bytes: Buffer): void {
    if (bytes.length === 0) return
    this.#unread += bytes.length
    this.#queue.push(bytes)
    if (this.#unread > maxUnread) this.#tls?.pause()
  }

  #resume(): void {
    this.#tls?.resume()
  }
}

/** Resolves when there is room again, or nobody reads any more; leaves nothing behind on a stream that lives for hours. */
export function drained(stream: Writable): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      stream.off('drain', done).off('close', done)
      resolve()
    }
    stream.on('drain', done).on('close', done)
  })
}

/** Reads one TPKT packet and nothing after it: what follows is TLS. */
function readConfirm(tunnel: Duplex): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let bytes: Buffer = Buffer.alloc(0)
    const timer = setTimeout(() => done(silent()), negotiateMs)
    const done = (result: Buffer | ProblemError): void => {
      clearTimeout(timer)
      tunnel.off('readable', read)
      tunnel.off('close', closed)
      if (result instanceof ProblemError) reject(result)
      else resolve(result)
    }
    const closed = (): void => done(fail('session-ended', 'The gateway closed the session.', { action: 'reconnect' }))
    const read = (): void => {
      const more: Buffer | null = tunnel.read()
      if (more === null) return
      bytes = Buffer.concat([bytes, more])
      const length = bytes.length < 4 ? 0 : bytes.readUInt16BE(2)
      if ((length !== 0 && (bytes[0] !== 3 || length > maxConfirm)) || bytes.length > maxConfirm) {
        done(fail('failed', 'The gateway’s answer is no RDP.'))
      } else if (length > 0 && bytes.length >= length) {
        if (bytes.length > length) tunnel.unshift(bytes.subarray(length))
        done(bytes.subarray(0, length))
      }
    }
    tunnel.on('readable', read)
    tunnel.once('close', closed)
  })
}

function silent(): ProblemError {
  return fail('failed', 'The gateway did not answer the viewer in time.', { action: 'retry' })
}

/** TLS with the inspector, through the tunnel. Its certificate is its own; the gateway has told which one that is. */
function secure(tunnel: Duplex, certificate: string): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const tls = connect({ socket: tunnel, rejectUnauthorized: false, minVersion: 'TLSv1.2' })
    const timer = setTimeout(() => tls.destroy(silent()), negotiateMs)
    const failed = (error: Error): void => {
      clearTimeout(timer)
      reject(error)
    }
    tls.once('error', failed)
    tls.once('secureConnect', () => {
      clearTimeout(timer)
      tls.off('error', failed)
      if (tls.getPeerCertificate().fingerprint256 === certificate) resolve(tls)
      else {
        tls.destroy()
        reject(
          fail('failed', 'The desktop’s certificate is not the one that the gateway named. Nothing was sent.', {
            hint: 'Someone may be between this machine and the gateway. Tell the people who run it.',
          }),
        )
      }
    })
  })
}
