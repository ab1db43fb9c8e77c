import { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import type { Annotation } from '../shared/annotation.ts'

const pingMs = 20_000
const highWaterMark = 256 * 1024
/** Small writes become one message; larger ones are not worth a copy. */
const joinBytes = 64 * 1024
/** How long what a client sent before it left may wait to be read. */
const unreadMs = 5_000

/**
 * A WebSocket as a Duplex of its binary messages, with back-pressure both ways: a reader that stops reading stops the
 * socket, and a write is done when the socket took it. Closing goes by `closeWith`, 1000 unless said otherwise.
 */
export class TunnelStream extends Duplex {
  readonly #ws: WebSocket
  readonly #ping: NodeJS.Timeout
  #answered = true
  #close: { code: number; reason: string } = { code: 1000, reason: '' }
  #shutting = false

  constructor(ws: WebSocket) {
    super({ highWaterMark, allowHalfOpen: false })
    this.#ws = ws
    ws.binaryType = 'nodebuffer'
    ws.on('message', (data, isBinary) => this.#message(data, isBinary))
    ws.on('pong', () => {
      this.#answered = true
    })
    ws.on('error', (error) => this.destroy(error))
    ws.once('close', () => this.#closed())
    this.#ping = setInterval(() => this.#heartbeat(), pingMs)
    this.#ping.unref()
  }

  /** How the WebSocket will be closed. The last word counts. */
  closeWith(code: number, reason: string): void {
    this.#close = { code, reason }
  }

  /** A decision beside the bytes: a text message. Lost when the tunnel is closed, as the session is. */
  annotate(annotation: Annotation): void {
    if (this.#ws.readyState === this.#ws.OPEN) this.#ws.send(JSON.stringify(annotation), { binary: false })
  }

  override _read(): void {
    if (this.#ws.isPaused) this.#ws.resume()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#send(chunk, callback)
  }

  override _writev(chunks: readonly { chunk: Buffer }[], callback: (error?: Error | null) => void): void {
    const buffers = chunks.map(({ chunk }) => chunk)
    const total = buffers.reduce((sum, buffer) => sum + buffer.byteLength, 0)
    const last = total <= joinBytes ? Buffer.concat(buffers.splice(0), total) : buffers.pop()
    for (const buffer of buffers) this.#send(buffer, noteNothing)
    this.#send(last ?? Buffer.alloc(0), callback)
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.#shut()
    callback()
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    clearInterval(this.#ping)
    this.#shut()
    callback(error)
  }

  #shut(): void {
    this.#shutting = true
    if (this.#ws.readyState === this.#ws.OPEN) this.#ws.close(this.#close.code, shorten(this.#close.reason))
    // Or the answer to our close is never read.
    if (this.#ws.isPaused) this.#ws.resume()
  }

  /** What came before the close can still be read; nobody has to, so it does not wait for long. */
  #closed(): void {
    clearInterval(this.#ping)
    this.#shutting = true
    if (this.destroyed) return
    this.push(null)
    const timer = setTimeout(() => this.destroy(), unreadMs)
    timer.unref()
    this.once('close', () => clearTimeout(timer))
  }

  #send(chunk: Buffer, callback: (error?: Error | null) => void): void {
    if (this.#ws.readyState === this.#ws.OPEN) this.#ws.send(chunk, { binary: true, compress: false }, callback)
    else callback(new Error('The tunnel is closed.'))
  }

  #message(data: unknown, isBinary: boolean): void {
    if (this.#shutting) return
    if (!isBinary || !Buffer.isBuffer(data)) {
      this.closeWith(1003, 'A tunnel carries binary messages only.')
      this.destroy()
      return
    }
    if (data.byteLength > 0 && !this.push(data)) this.#ws.pause()
  }

  #heartbeat(): void {
    // While paused, an answer would not be heard.
    if (this.#ws.isPaused || this.#ws.readyState !== this.#ws.OPEN) {
      this.#answered = true
      return
    }
    if (!this.#answered) {
      this.#ws.terminate()
      return
    }
    this.#answered = false
    this.#ws.ping()
  }
}

/** A write that fails before the last of several fails the last one too, and that one is told. */
function noteNothing(): void {}

/** A close frame holds 123 bytes of reason, whole characters only. */
export function shorten(reason: string): string {
  const bytes = Buffer.from(reason)
  if (bytes.byteLength <= 123) return reason
  let end = 120
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end--
  return `${bytes.subarray(0, end).toString('utf8')}…`
}
