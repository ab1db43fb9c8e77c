import { join } from 'node:path'

/**
 * Where recordings lie under the gateway's data folder:
 *
 *   recordings/2026/07/ses_…/manifest.json      chunks sealed so far, with their hashes
 *                            000001.jsonl.zst   a sealed chunk
 *                            000002.spool       the chunk being written: event lines, neither header nor compression
 *   recordings/.live/ses_…                      of one whose end is not stored, for the next start: its first manifest, or its path
 */
export interface RecordingPlace {
  session: string
  startedAt: Date
}

const sessionId = /^[a-z0-9_]{8,64}$/

export function recordingsRoot(dataDir: string): string {
  return join(dataDir, 'recordings')
}

/** Path relative to the recordings root. Throws on an id that is not a session's: it becomes part of a path. */
export function recordingPath(place: RecordingPlace): string {
  if (!sessionId.test(place.session)) throw new Error(`“${place.session}” is not the id of a session.`)
  const year = String(place.startedAt.getUTCFullYear()).padStart(4, '0')
  const month = String(place.startedAt.getUTCMonth() + 1).padStart(2, '0')
  return join(year, month, place.session)
}

export function liveMarker(root: string, session: string): string {
  return join(root, '.live', session)
}

export const manifestName = 'manifest.json'

export function chunkName(chunk: number): string {
  return `${String(chunk).padStart(6, '0')}.jsonl.zst`
}

export function spoolName(chunk: number): string {
  return `${String(chunk).padStart(6, '0')}.spool`
}

/** The number in a file name of a chunk or spool; undefined for any other file. */
export function chunkNumber(file: string): { chunk: number; kind: 'sealed' | 'spool' } | undefined {
  const match = /^(\d{6,9})\.(jsonl\.zst|spool)$/.exec(file)
  if (match?.[1] === undefined) return undefined
  return { chunk: Number(match[1]), kind: match[2] === 'spool' ? 'spool' : 'sealed' }
}

/** What `previous` is in the header of the first chunk. */
export const noHash = '0'.repeat(64)

/** An event line longer than this is refused, and with it the request that it is about. */
export const maxLineBytes = 64 * 1024 * 1024

/** What one chunk may unpack to: a spool that was about to be rotated plus the longest line. */
export const maxChunkBytes = 2 * maxLineBytes
