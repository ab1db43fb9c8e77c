import { Duplex } from 'node:stream'
import { type RawData, WebSocket } from 'ws'
import { type Annotation, parseAnnotation } from '../shared/annotation.ts'
import { ProblemDocument } from '../shared/api/problem.ts'
import { unreachable } from './gateway/reach.ts'
import { fail, messageOf, type ProblemError, unreachableHint } from './problem.ts'

export interface TunnelOptions {
  /** `ws:` or `wss:` address of the gateway's tunnel. */
  url: string
  /** Single use; sent in the `sallyport-ticket` header, never in the address. */
  ticket: string
  signal?: AbortSignal
  /** RDP: called with each decision that comes beside the bytes. Without it, one ends the tunnel. */
  annotated?: (annotation: Annotation) => void
}

const handshakeMs = 15_000
const pingMs = 15_000
const deadMs = 40_000
const maxMessage = 16 * 1024 * 1024

/**
 * Opens a session's tunnel: a Duplex whose bytes are the native protocol's, with back-pressure both ways. Resolves when the gateway
 * has let us in. Rejects, and later errors, with a ProblemError in words.
 */
export function openTunnel(options: TunnelOptions): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(options.url, {
      headers: { 'sallyport-ticket': options.ticket },
      perMessageDeflate: false,
      maxPayload: maxMessage,
      handshakeTimeout: handshakeMs,
      followRedirects: false,
    })
    const abort = (): void => socket.terminate()
    options.signal?.addEventListener('abort', abort, { once: true })
    if (options.signal?.aborted) abort()
    const settle = (): void => options.signal?.removeEventListener('abort', abort)
    const refuse = (error: ProblemError): void => {
      settle()
      reject(error)
    }
    socket.once('unexpected-response', (_request, response) => {
      refuseInWords(response)
        .then(refuse, (error: Error) => refuse(unreachable(error)))
        .finally(() => socket.terminate())
    })
    socket.on('error', (error) => refuse(unreachable(error)))
    socket.once('open', () => {
      settle()
      resolve(new Tunnel(socket, options.annotated))
    })
  })
}

class Tunnel extends Duplex {
  private readonly socket: WebSocket
  private readonly heartbeat: NodeJS.Timeout
  private readonly annotated: TunnelOptions['annotated']
  private lastHeard = Date.now()

  constructor(socket: WebSocket, annotated: TunnelOptions['annotated']) {
    super({ allowHalfOpen: true })
    this.annotated = annotated
    this.socket = socket
    socket.removeAllListeners('error')
    socket.on('message', (data, isBinary) => this.receive(data, isBinary))
    socket.on('pong', () => this.heard())
    socket.on('error', (error) => this.destroy(lost(messageOf(error))))
    socket.on('close', (code, reason) => this.hungUp(code, reason.toString()))
    this.heartbeat = setInterval(() => this.beat(), pingMs)
    this.heartbeat.unref()
  }

  private heard(): void {
    this.lastHeard = Date.now()
  }

  private beat(): void {
    // While we do not read, a pong waits behind data: silence means nothing then.
    if (this.socket.isPaused) this.heard()
    if (Date.now() - this.lastHeard > deadMs) this.destroy(lost('the gateway stopped answering'))
    else if (this.socket.readyState === WebSocket.OPEN) this.socket.ping()
  }

  private receive(data: RawData, isBinary: boolean): void {
    this.heard()
    if (!isBinary) {
      const annotation = this.annotated && parseAnnotation(toBuffer(data).toString())
      if (annotation !== undefined) this.annotated?.(annotation)
      else this.destroy(lost('the gateway sent a message that is not part of the tunnel'))
      return
    }
    if (!this.push(toBuffer(data))) this.socket.pause()
  }

  private hungUp(code: number, reason: string): void {
    clearInterval(this.heartbeat)
    const error = closeError(code, reason)
    if (error === undefined) {
      this.push(null)
      if (this.writable) this.end()
    } else this.destroy(error)
  }

  override _read(): void {
    if (this.socket.isPaused) this.socket.resume()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.send(chunk, done)
  }

  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this.send(Buffer.concat(chunks.map((c) => c.chunk)), done)
  }

  private send(bytes: Buffer, done: (error?: Error | null) => void): void {
    if (this.socket.readyState === WebSocket.CLOSING) {
      // The gateway has said goodbye: its reason, which comes with the close, must not be overtaken by this write's failure.
      this.socket.once('close', () => done(lost('the tunnel is closed')))
      return
    }
    if (this.socket.readyState !== WebSocket.OPEN) {
      done(lost('the tunnel is closed'))
      return
    }
    this.socket.send(bytes, { binary: true }, (error) => done(error ? lost(messageOf(error)) : null))
  }

  override _final(done: (error?: Error | null) => void): void {
    this.socket.close(1000)
    done()
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    clearInterval(this.heartbeat)
    if (this.socket.readyState === WebSocket.OPEN) this.socket.close(1000)
    // A peer that does not finish the closing handshake must not keep the socket.
    if (error !== null || this.socket.isPaused) this.socket.terminate()
    done(error)
  }
}

function toBuffer(data: RawData): Buffer {
  if (Buffer.isBuffer(data)) return data
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data)
}

/** What a close code means for people; undefined for a normal end. 4000 and up carry the gateway's own words. */
export function closeError(code: number, reason: string): ProblemError | undefined {
  if (code === 1000 || code === 1005) return undefined
  if (code >= 4000) {
    const words = reason === '' ? `The gateway ended the session (${code}).` : reason
    return fail('session-ended', words, { action: 'reconnect' })
  }
  if (code === 1001) return lost('the gateway is shutting down')
  if (code === 1006) return lost('the connection to the gateway broke')
  return lost(reason === '' ? `close code ${code}` : reason)
}

function lost(why: string): ProblemError {
  return fail('session-ended', `The session was lost: ${why}.`, {
    hint: 'Reconnect to go on. Nothing is sent again by itself.',
    action: 'reconnect',
  })
}

const statusCodes = new Map<number | undefined, ProblemError['problem']['code']>([
  [401, 'not-signed-in'],
  [403, 'forbidden'],
  [404, 'not-found'],
  [409, 'conflict'],
  [502, 'target-unreachable'],
])

/** The gateway answered the upgrade with an HTTP error; its problem document says why. */
async function refuseInWords(
  response: NodeJS.ReadableStream & { statusCode?: number | undefined },
): Promise<ProblemError> {
  let text = ''
  for await (const chunk of response) {
    text += chunk.toString()
    if (text.length > 64 * 1024) break
  }
  const code = statusCodes.get(response.statusCode) ?? 'failed'
  const words = detailOf(text) ?? `The gateway refused the session (HTTP ${response.statusCode ?? '?'}).`
  const hint = code === 'target-unreachable' ? { hint: unreachableHint } : {}
  return fail(code, words, { action: 'retry', ...hint })
}

function detailOf(body: string): string | undefined {
  let value: unknown
  try {
    value = JSON.parse(body)
  } catch {
    return undefined
  }
  const parsed = ProblemDocument.safeParse(value)
  return parsed.success ? parsed.data.detail : undefined
}
