import type { Duplex } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import type { Client, ClientChannel } from 'ssh2'
import type { TerminalEvent } from '../../shared/rpc/contract.ts'
import { fail, messageOf, ProblemError, toProblem } from '../problem.ts'
import { AsyncQueue } from '../queue.ts'
import { connectSsh } from './connect.ts'
import { AnnotationExtractor, type TerminalPart } from './osc.ts'

export interface TerminalOptions {
  /** A new session's tunnel, with the host key its ticket named. Given up with `signal`. */
  dial(signal: AbortSignal): Promise<{ stream: Duplex; sessionId: string; hostKey: string | undefined }>
  user: string
  cols: number
  rows: number
}

/** Unread events before the host has to wait. */
const maxUnread = 64
/** What may be typed before there is a shell: as much as a terminal keeps of a line. The rest is dropped, as it would there. */
const maxAhead = 4_096

/** A shell on an SSH connection. Events wait until they are read; while too many do, the host is not read either. */
export class TerminalSession {
  private readonly queue = new AsyncQueue<TerminalEvent>(() => this.resume())
  private readonly options: TerminalOptions
  private client: Client | undefined
  private channel: ClientChannel | undefined
  private size: { cols: number; rows: number }
  private paused = false
  private closed = false
  private ended = false
  /** Typed while the session was being opened. */
  private ahead = ''
  private readonly dialling = new AbortController()
  private attached: AbortController | undefined

  constructor(options: TerminalOptions) {
    this.options = options
    this.size = { cols: options.cols, rows: options.rows }
    void this.start()
  }

  private async start(): Promise<void> {
    try {
      const { stream, sessionId, hostKey } = await this.options.dial(this.dialling.signal)
      const client = await connectSsh({ stream, user: this.options.user, hostKey })
      this.client = client
      if (this.closed) {
        client.end()
        return
      }
      let broken: Error | undefined
      stream.on('error', (error) => {
        broken = error
      })
      client.on('error', (error) => {
        broken ??= error
      })
      const channel = await openShell(client, this.size)
      this.channel = channel
      this.queue.push({ type: 'ready', sessionId })
      this.read(channel, () => broken)
      if (this.ahead !== '') channel.write(this.ahead)
      this.ahead = ''
    } catch (error) {
      this.client?.end()
      this.exit({ problem: toProblem(error) })
    }
  }

  private read(channel: ClientChannel, broken: () => Error | undefined): void {
    this.pipe(channel)
    this.pipe(channel.stderr)
    let exit: { code?: number; signal?: string } = {}
    let exited = false
    channel.on('exit', (code: number | null, signal?: string) => {
      exited = true
      exit = { ...(code === null ? {} : { code }), ...(signal === undefined ? {} : { signal }) }
    })
    channel.on('close', () => {
      this.client?.end()
      const error = broken()
      if (exited) this.exit(exit)
      else if (this.closed) this.exit({})
      else this.exit({ problem: endOf(error) })
    })
  }

  /** Decodes one stream of output. Each has its own decoder: a character cut in one must not meet bytes of the other. */
  private pipe(source: NodeJS.ReadableStream): void {
    const decoder = new StringDecoder('utf8')
    const extractor = new AnnotationExtractor()
    source.on('data', (chunk: Buffer) => {
      this.deliver(extractor.push(decoder.write(chunk)))
      if (this.queue.size > maxUnread) this.pause()
    })
    source.on('end', () => this.deliver([...extractor.push(decoder.end()), ...extractor.end()]))
  }

  private deliver(parts: readonly TerminalPart[]): void {
    for (const part of parts) {
      if (part.type === 'annotation') {
        this.queue.push({ type: 'annotation', at: new Date().toISOString(), annotation: part.annotation })
      } else if (part.text !== '') this.queue.push(part)
    }
  }

  private pause(): void {
    if (this.paused) return
    this.paused = true
    this.channel?.pause()
    this.channel?.stderr.pause()
  }

  private resume(): void {
    if (!this.paused) return
    this.paused = false
    this.channel?.resume()
    this.channel?.stderr.resume()
  }

  private exit(how: Omit<Extract<TerminalEvent, { type: 'exit' }>, 'type'>): void {
    this.ended = true
    this.ahead = ''
    this.queue.push({ type: 'exit', ...how })
    this.queue.end()
  }

  /** The terminal's events. A second reader takes over from the first (a reloaded page). */
  async *attach(signal?: AbortSignal): AsyncGenerator<TerminalEvent, void, void> {
    this.attached?.abort()
    const own = new AbortController()
    this.attached = own
    const either = signal === undefined ? own.signal : AbortSignal.any([signal, own.signal])
    for await (const event of this.queue.until(either)) yield event
  }

  /** Before there is a shell it is kept, and the shell gets it first: a command that lost its beginning would be another one. */
  write(data: string): void {
    if (this.ended || this.closed)
      throw fail('session-ended', 'The terminal is not connected.', { action: 'reconnect' })
    if (this.channel !== undefined) this.channel.write(data)
    else if (this.ahead.length + data.length <= maxAhead) this.ahead += data
  }

  resize(cols: number, rows: number): void {
    this.size = { cols, rows }
    this.channel?.setWindow(rows, cols, 0, 0)
  }

  close(): void {
    this.closed = true
    this.dialling.abort()
    this.channel?.close()
    this.client?.end()
    this.attached?.abort()
  }
}

function openShell(client: Client, size: { cols: number; rows: number }): Promise<ClientChannel> {
  return new Promise((resolve, reject) => {
    client.shell({ term: 'xterm-256color', cols: size.cols, rows: size.rows }, (error, channel) => {
      if (error) reject(fail('forbidden', `The shell was not opened: ${messageOf(error)}.`, { cause: error }))
      else resolve(channel)
    })
  })
}

function endOf(error: Error | undefined): ProblemError['problem'] {
  if (error instanceof ProblemError) return error.problem
  const why = error === undefined ? '' : `: ${messageOf(error)}`
  return fail('session-ended', `The session ended${why}.`, { action: 'reconnect' }).problem
}
