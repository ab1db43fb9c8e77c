import type { RecordingEvent } from '../../../shared/recording.ts'
import type { ChannelHost } from './channel-host.ts'
import type { SftpEvent } from './sftp.ts'
import { recordingFailed } from './words.ts'

type RecordHost = Pick<ChannelHost<unknown>, 'port' | 'nextRequest' | 'failed'>

/** How a program ended. */
export interface Completion {
  startedAt: number
  bytes: number
  exitCode: number | undefined
  /** Why it is no success, where its exit code does not say so. */
  error: string | undefined
}

/** What one channel puts on the recording, beside what its program printed. */
export class ChannelRecord {
  readonly #host: RecordHost
  /** The numbers of operations that have not ended. */
  readonly #operations = new Map<number, number>()

  constructor(host: RecordHost) {
    this.#host = host
  }

  resized(cols: number, rows: number): void {
    this.#record({ type: 'resize', at: this.#host.port.elapsed(), cols, rows })
  }

  /** Returns what is still being stored. */
  operated(events: readonly SftpEvent[]): Promise<void>[] {
    return events.flatMap((event) => this.#record(this.#operation(event)) ?? [])
  }

  completed(
    { n, gatewayMs }: { n: number; gatewayMs: number },
    { startedAt, bytes, exitCode, error }: Completion,
  ): void {
    const at = this.#host.port.elapsed()
    this.#record({
      type: 'complete',
      at,
      n,
      ok: error === undefined && (exitCode ?? 0) === 0,
      bytes,
      dbMs: Math.max(at - startedAt, 0),
      gatewayMs,
      ...(exitCode === undefined ? {} : { exitCode }),
      ...(error === undefined ? {} : { error }),
    })
  }

  #operation(event: SftpEvent): RecordingEvent {
    const { port } = this.#host
    const at = port.elapsed()
    if (event.type === 'begin') {
      const n = this.#host.nextRequest()
      this.#operations.set(event.key, n)
      return { type: 'request', at, n, action: 'ssh:sftp', text: port.redact(event.text), outcome: 'allowed' }
    }
    const n = this.#operations.get(event.key) ?? 0
    this.#operations.delete(event.key)
    return { type: 'complete', at, n, ok: event.ok, bytes: event.bytes }
  }

  #record(event: RecordingEvent): Promise<void> | undefined {
    try {
      const stored = this.#host.port.record(event)
      stored?.catch((error: unknown) => this.#host.failed(recordingFailed(error)))
      return stored
    } catch (error) {
      this.#host.failed(recordingFailed(error))
      // Whoever waits for it must not go on.
      return new Promise(() => undefined)
    }
  }
}
