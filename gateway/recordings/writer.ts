import { closeSync, ftruncateSync, linkSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { ConnectionRef } from '../../shared/connection.ts'
import type { Principal } from '../../shared/principal.ts'
import type { RecordingEvent, RecordingManifest } from '../../shared/recording.ts'
import { liveMarker, manifestName, maxLineBytes, noHash, recordingPath, spoolName } from './layout.ts'
import { Lines } from './line.ts'
import { manifestBytes, sealSpool, writeManifest } from './seal.ts'

export interface RecordingSubject {
  session: string
  principal: Principal
  connection: ConnectionRef
  /** See RecordingManifest. */
  purpose?: 'catalog' | undefined
  startedAt: Date
}

/** What the audit log keeps of a closed recording: whoever changes it later can't change this too. */
export interface RecordingSeal {
  chunks: number
  events: number
  /** Hash of the last chunk, 64 zeros when nothing was recorded. */
  sha256: string
  /** Hash of `manifest.json`. */
  manifest: string
}

export interface WriterLimits {
  /** A chunk is closed when its lines reach this many bytes, or it was begun this many milliseconds ago. */
  chunkBytes: number
  chunkMs: number
}

interface Spool {
  chunk: number
  fd: number
  bytes: number
  begunAt: number
}

/** Lines of these may wait for the next write: no request is forwarded on their account. */
const mayWait: Readonly<Record<RecordingEvent['type'], boolean>> = {
  request: false,
  decided: false,
  complete: true,
  output: true,
  masked: true,
  resize: true,
  desktop: true,
  frame: true,
  input: true,
  clipboard: true,
  end: false,
}
const waitingLimit = 64 * 1024

/** One recording being written. Made by `Recordings.start`; the store calls `tick` several times a second. */
export class RecordingWriter {
  readonly folder: string
  readonly #limits: WriterLimits
  readonly #now: () => number
  /** Why nothing may be recorded right now (the disk is nearly full), asked before every write. */
  readonly #refusal: () => string | undefined
  #manifest: RecordingManifest
  #spool: Spool | undefined
  #nextChunk = 1
  /** Those that wait for the next write. */
  readonly #lines = new Lines()
  #queue: number[] = []
  #sealing: Promise<void> | undefined
  /** Of the last `tick`; the next one that succeeds clears it. */
  #writeFailure: Error | undefined
  /** Of the last seal; the next one that succeeds clears it. */
  #sealFailure: Error | undefined
  /** For good: the spool may end in half a line. */
  #broken: Error | undefined
  #closed = false
  #ended: Pick<RecordingManifest, 'endedAt'> = {}
  /** Of the manifest with the recording's end, once that is written. */
  #finalHash: string | undefined

  /** Creates folder and manifest at once. Throws when they can't be: the session must then not begin. */
  constructor(
    root: string,
    subject: RecordingSubject,
    limits: WriterLimits,
    refusal: () => string | undefined,
    now: () => number,
  ) {
    const path = recordingPath(subject)
    this.folder = join(root, path)
    this.#limits = limits
    this.#refusal = refusal
    this.#now = now
    this.#manifest = {
      version: 1,
      session: subject.session,
      principal: subject.principal,
      connection: subject.connection,
      ...(subject.purpose === undefined ? {} : { purpose: subject.purpose }),
      startedAt: subject.startedAt.toISOString(),
      chunks: [],
    }
    this.#refuseWhenUnfit()
    makeFolder(this.folder)
    const manifest = join(this.folder, manifestName)
    writeFileSync(manifest, manifestBytes(this.#manifest), { mode: 0o600, flag: 'wx' })
    mark(manifest, liveMarker(root, subject.session), path)
  }

  /** The terminal's size when the session began, for players. */
  size(cols: number, rows: number): void {
    this.#manifest = { ...this.#manifest, cols, rows }
  }

  /**
   * Puts an event on the recording. A `request` or `decided` event is with the operating system when this returns,
   * so it survives a crash of this process. Costs a few microseconds.
   * @throws when it can't be stored: the request must not be forwarded
   */
  record(event: RecordingEvent): undefined {
    this.#refuseWhenUnfit()
    const lines = this.#lines
    const waiting = lines.length
    try {
      lines.add(event)
      if (mayWait[event.type] && lines.length < waitingLimit) return
      if (lines.length - waiting > maxLineBytes) throw new Error('The request is too long to be recorded.')
      this.#write()
    } catch (error) {
      // What it was about is not forwarded, so nothing of it stays. What was written is gone from there already.
      lines.length = Math.min(lines.length, waiting)
      throw error
    }
  }

  /** Writes what waits. Throws like `record`. */
  flush(): void {
    if (this.#lines.length > 0) this.#write()
  }

  /** Called several times a second: writes what waits, closes a chunk that is old enough, seals again what failed. */
  tick(): void {
    if (this.#closed) return
    try {
      this.flush()
      this.#lines.release()
      if (this.#spool !== undefined && this.#now() - this.#spool.begunAt >= this.#limits.chunkMs) this.#rotate()
      this.#writeFailure = undefined
    } catch (error) {
      this.#writeFailure = asError(error)
    }
    this.#sealNext()
  }

  /**
   * Seals what is left and closes the recording. Call once, after the last event.
   * Rejects when the disk does not let it; what was recorded stays in its spool and is sealed at the next start. Until it is `settled`,
   * the next start tells of it.
   */
  async close(endedAt: Date): Promise<RecordingSeal> {
    this.flush()
    this.#closed = true
    this.#ended = { endedAt: endedAt.toISOString() }
    if (this.#spool !== undefined) this.#rotate()
    while (this.#queue.length > 0 || this.#sealing !== undefined) {
      this.#sealNext()
      await this.#sealing
      if (this.#sealFailure !== undefined) throw this.#sealFailure
    }
    this.#manifest = { ...this.#manifest, ...this.#ended }
    // The last chunk came with it, unless that was sealed before the end was known.
    const hash = this.#finalHash ?? (await writeManifest(this.folder, this.#manifest))
    return sealOf(this.#manifest, hash)
  }

  #refuseWhenUnfit(): void {
    const error = this.#broken ?? this.#writeFailure ?? this.#sealFailure
    if (error !== undefined) throw new Error(`The recording can't be written: ${error.message}`, { cause: error })
    const refusal = this.#refusal()
    if (refusal !== undefined) throw new Error(refusal)
    if (this.#closed) throw new Error('The recording is closed.')
  }

  #write(): void {
    const spool = this.#spool ?? this.#begin()
    const { bytes, length } = this.#lines
    try {
      writeWhole(spool.fd, bytes, length)
    } catch (error) {
      this.#dropTornLine(spool, error)
      throw error
    }
    this.#lines.length = 0
    spool.bytes += length
    if (spool.bytes >= this.#limits.chunkBytes) this.#rotate()
  }

  /** A write that failed half way would leave half a line in the middle of a chunk: take it back, or write no more. */
  #dropTornLine(spool: Spool, cause: unknown): void {
    try {
      ftruncateSync(spool.fd, spool.bytes)
    } catch (error) {
      this.#broken = new AggregateError([cause, error], 'The disk fails and the last line can’t be taken back.')
    }
  }

  #begin(): Spool {
    const chunk = this.#nextChunk
    const fd = openSync(join(this.folder, spoolName(chunk)), 'ax', 0o600)
    this.#nextChunk++
    this.#spool = { chunk, fd, bytes: 0, begunAt: this.#now() }
    return this.#spool
  }

  #rotate(): void {
    const spool = this.#spool
    if (spool === undefined) return
    this.#spool = undefined
    this.#queue.push(spool.chunk)
    closeSync(spool.fd)
    this.#sealNext()
  }

  /** Seals one chunk after the other: each carries the hash of the one before. */
  #sealNext(): void {
    const chunk = this.#queue[0]
    if (this.#sealing !== undefined || chunk === undefined) return
    const last = this.#closed && this.#queue.length === 1
    this.#sealing = sealSpool(this.folder, this.#manifest, chunk, last ? this.#ended : {}).then(
      ({ manifest, hash }) => {
        if (last) this.#finalHash = hash
        // A size set while the chunk was being sealed is not in that copy.
        const { chunks, keyframes } = manifest
        this.#manifest = { ...this.#manifest, chunks, ...(keyframes === undefined ? {} : { keyframes }) }
        this.#queue.shift()
        this.#sealFailure = undefined
        this.#sealing = undefined
        if (!this.#closed) this.#sealNext()
      },
      (error: unknown) => {
        this.#sealFailure = asError(error)
        this.#sealing = undefined
      },
    )
  }
}

export function sealOf(manifest: RecordingManifest, hash: string): RecordingSeal {
  return {
    chunks: manifest.chunks.length,
    events: manifest.chunks.reduce((sum, chunk) => sum + chunk.events, 0),
    sha256: manifest.chunks.at(-1)?.sha256 ?? noHash,
    manifest: hash,
  }
}

/** Its parent is there already but for the first of a month. */
function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { mode: 0o700 })
  } catch {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
  }
}

/** The manifest as it is now by a second name, which costs no file; on a disk that has no such thing, a file with the path. */
function mark(manifest: string, marker: string, path: string): void {
  try {
    linkSync(manifest, marker)
  } catch {
    writeFileSync(marker, path, { mode: 0o600 })
  }
}

/** The operating system may take a part only (a nearly full disk): go on until it took all or says why not. */
function writeWhole(fd: number, bytes: Uint8Array, length: number): void {
  let done = 0
  while (done < length) done += writeSync(fd, bytes, done, length - done)
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
