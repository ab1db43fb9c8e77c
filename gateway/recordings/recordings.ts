import { mkdirSync, rmSync, statfsSync } from 'node:fs'
import { appendFile, readdir, readFile, statfs, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import type { RecordingPage, Verification } from '../../shared/api/models.ts'
import { RecordingManifest } from '../../shared/recording.ts'
import type { Log } from '../services.ts'
import { type Counts, countEvent, noCounts } from '../sessions/counts.ts'
import { liveMarker, manifestName, type RecordingPlace, recordingPath, recordingsRoot, spoolName } from './layout.ts'
import { isMissing, type RecordedEvents, readEvents, readParts } from './reader.ts'
import { hashBytes, sealSpool, wholeLines, writeManifest } from './seal.ts'
import { type Told, verifyRecording } from './verify.ts'
import { type RecordingSeal, type RecordingSubject, RecordingWriter, sealOf, type WriterLimits } from './writer.ts'

export interface RecordingsOptions {
  dataDir: string
  log: Log
  limits?: Partial<WriterLimits>
  /** Bytes that must stay free on the disk; below, nothing is recorded and so nothing forwarded. */
  freeBytes?: number
}

/** A recording that a gateway which stopped without warning left open, sealed now. */
export interface RecoveredRecording {
  session: string
  seal: RecordingSeal
  /** What the session had asked for up to then, by outcome. */
  counts: Counts
}

const tickMs = 250
const spaceCheckMs = 2_000
const countAtOnce = 10_000

/** The recordings of this gateway, in a local folder; each is written by one process. */
export class Recordings {
  readonly #root: string
  readonly #log: Log
  readonly #limits: WriterLimits
  readonly #freeBytes: number
  readonly #writers = new Map<string, RecordingWriter>()
  readonly #timers: NodeJS.Timeout[]
  #refusal: string | undefined

  /** Throws when the folder can't be made: a gateway that can't record must not start. */
  constructor(options: RecordingsOptions) {
    this.#root = recordingsRoot(options.dataDir)
    this.#log = options.log
    this.#limits = { chunkBytes: 1024 * 1024, chunkMs: 60_000, ...options.limits }
    this.#freeBytes = options.freeBytes ?? 64 * 1024 * 1024
    mkdirSync(join(this.#root, '.live'), { recursive: true, mode: 0o700 })
    this.#judgeSpace(statfsSync(this.#root))
    this.#timers = [setInterval(() => this.#tick(), tickMs), setInterval(() => void this.#checkSpace(), spaceCheckMs)]
    for (const timer of this.#timers) timer.unref()
  }

  /** Begins a recording. Throws when it can't be written: the session must not begin. */
  start(subject: RecordingSubject): RecordingWriter {
    const writer = new RecordingWriter(this.#root, subject, this.#limits, () => this.#refused(), Date.now)
    this.#writers.set(subject.session, writer)
    return writer
  }

  /** Closes a recording; see RecordingWriter.close. */
  async finish(session: string, endedAt: Date): Promise<RecordingSeal> {
    const writer = this.#writers.get(session)
    if (writer === undefined) throw new Error(`Nothing is being recorded for ${session}.`)
    try {
      return await writer.close(endedAt)
    } finally {
      this.#writers.delete(session)
    }
  }

  /** A page of events; `live`: more may come. Undefined when there is none by this id. */
  async read(
    place: RecordingPlace & { live: boolean },
    after: number,
    limit: number,
  ): Promise<RecordingPage | undefined> {
    this.#writers.get(place.session)?.flush()
    try {
      const page = await readEvents(this.#folder(place), after, limit)
      return { ...page, live: place.live }
    } catch (error) {
      if (isMissing(error)) return undefined
      throw error
    }
  }

  /** See verifyRecording. Undefined when there is no such recording. */
  async verify(
    place: RecordingPlace,
    expected: RecordingSeal | undefined,
    told?: Told,
  ): Promise<Verification | undefined> {
    try {
      return await verifyRecording(this.#folder(place), place.session, expected, told)
    } catch (error) {
      if (isMissing(error)) return undefined
      throw error
    }
  }

  /** Seals what a crash left open. Call once, before the first session. */
  async recover(): Promise<RecoveredRecording[]> {
    const recovered: RecoveredRecording[] = []
    for (const session of await readdir(join(this.#root, '.live'))) {
      const left = await this.sealLeft(session, 'The gateway stopped.')
      if (left !== undefined) recovered.push(left)
    }
    return recovered
  }

  /**
   * Seals the recording of a session whose process stopped, and closes its events with the reason; once that is stored, it is to be
   * `settled`. Undefined when there is none or it can't be: one damaged recording must not keep the gateway from starting; its marker
   * stays, and verify names it.
   */
  async sealLeft(session: string, reason: string): Promise<RecoveredRecording | undefined> {
    try {
      const folder = join(this.#root, markedPath(await readFile(liveMarker(this.#root, session), 'utf8')))
      const seal = await sealOrphan(folder, reason)
      return { session, seal, counts: await countRequests(folder) }
    } catch (error) {
      if (!isMissing(error)) this.#log.error({ err: error, session }, 'a recording that was left open can’t be sealed')
      return undefined
    }
  }

  /** The end of a recording that was left is stored. */
  settled(session: string): void {
    rmSync(liveMarker(this.#root, session), { force: true })
  }

  /** Stops the timers. Every recording must have been finished. */
  close(): void {
    for (const timer of this.#timers) clearInterval(timer)
  }

  #folder(place: RecordingPlace): string {
    return join(this.#root, recordingPath(place))
  }

  #tick(): void {
    for (const writer of this.#writers.values()) writer.tick()
  }

  /** Nobody is refused over what was true two seconds ago. */
  #refused(): string | undefined {
    if (this.#refusal === undefined) return undefined
    try {
      this.#judgeSpace(statfsSync(this.#root))
    } catch (error) {
      this.#unreadable(error)
    }
    return this.#refusal
  }

  async #checkSpace(): Promise<void> {
    try {
      this.#judgeSpace(await statfs(this.#root))
    } catch (error) {
      this.#unreadable(error)
    }
  }

  #unreadable(error: unknown): void {
    this.#refusal = 'The recording folder can’t be read.'
    this.#log.error({ err: error }, 'the recording folder can’t be read; requests are refused')
  }

  #judgeSpace(space: { bavail: number; bsize: number }): void {
    const free = space.bavail * space.bsize
    const refusal =
      free < this.#freeBytes
        ? `The gateway’s disk is nearly full (${Math.floor(free / 1024 / 1024)} MiB left), so nothing can be recorded. Nothing ran.`
        : undefined
    if (refusal !== this.#refusal) this.#log.warn({ free }, refusal ?? 'there is space for recordings again')
    this.#refusal = refusal
  }
}

/** Where a recording is, by what its marker says. */
function markedPath(marker: string): string {
  if (!marker.startsWith('{')) return marker
  const { session, startedAt } = RecordingManifest.parse(JSON.parse(marker))
  return recordingPath({ session, startedAt: new Date(startedAt) })
}

async function countRequests(folder: string): Promise<Counts> {
  const counts = noCounts()
  for (let after: number | undefined = 0; after !== undefined; ) {
    const page: RecordedEvents = await readEvents(folder, after, countAtOnce)
    for (const event of page.events) countEvent(counts, event)
    after = page.next
  }
  return counts
}

async function sealOrphan(folder: string, reason: string): Promise<RecordingSeal> {
  const { manifest: found, spools } = await readParts(folder)
  let manifest = found
  const last = spools.at(-1)
  // Sealed before, by somebody who could not store that.
  if (last === undefined && found.endedAt !== undefined) {
    return sealOf(found, hashBytes(await readFile(join(folder, manifestName))))
  }
  if (last !== undefined) await sayThatItStopped(join(folder, spoolName(last)), reason)
  for (const chunk of spools) manifest = (await sealSpool(folder, manifest, chunk)).manifest
  manifest = { ...manifest, endedAt: manifest.endedAt ?? new Date().toISOString() }
  return sealOf(manifest, await writeManifest(folder, manifest))
}

/** Closes the events of a recording that was cut off, so that a reader sees why it ends there. */
async function sayThatItStopped(spool: string, reason: string): Promise<void> {
  const bytes = await readFile(spool)
  const lines = wholeLines(bytes)
  const lastLine = lines.subarray(lines.lastIndexOf(10, lines.byteLength - 2) + 1).toString('utf8')
  const last: unknown = lastLine === '' ? {} : JSON.parse(lastLine)
  const at = typeof last === 'object' && last !== null && 'at' in last && typeof last.at === 'number' ? last.at : 0
  if (typeof last === 'object' && last !== null && 'type' in last && last.type === 'end') return
  await truncate(spool, lines.byteLength)
  await appendFile(spool, `${JSON.stringify({ type: 'end', at, reason })}\n`)
}
