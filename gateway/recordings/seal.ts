import { createHash } from 'node:crypto'
import {
  closeSync,
  fsync,
  openSync,
  readFile,
  readFileSync,
  renameSync,
  statSync,
  unlink,
  unlinkSync,
  writeFile,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { constants, zstdCompress, zstdCompressSync } from 'node:zlib'
import { ChunkHeader, type RecordingManifest } from '../../shared/recording.ts'
import { chunkName, manifestName, noHash, spoolName } from './layout.ts'

const later = {
  compress: promisify(zstdCompress),
  readFile: promisify(readFile),
  writeFile: promisify(writeFile),
  unlink: promisify(unlink),
  fsync: promisify(fsync),
}
/** Less than this is dealt with at once: a thread for each step of it, and the way there and back, cost many times the step. */
const small = 64 * 1024
/** Events are much alike: more effort would save little, and a busy session fills a chunk in a second. */
const fast = { [constants.ZSTD_c_compressionLevel]: 1 }

export type SealedChunk = RecordingManifest['chunks'][number]

/** A manifest as it is on the disk, and the hash of its bytes there. */
export interface WrittenManifest {
  manifest: RecordingManifest
  hash: string
}

/** Hex SHA-256 of bytes. */
export function hashBytes(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/**
 * Turns a spool into its chunk: header line and event lines, compressed, with the hash of the chunk before.
 * The spool is removed only once the manifest names the chunk, so a crash anywhere in between loses nothing:
 * sealing again writes the same chunk. `ended`: facts of the recording's end, for the manifest of its last chunk.
 */
export async function sealSpool(
  folder: string,
  manifest: RecordingManifest,
  chunk: number,
  ended: Pick<RecordingManifest, 'endedAt'> = {},
): Promise<WrittenManifest> {
  const spool = join(folder, spoolName(chunk))
  const short = statSync(spool).size < small
  const lines = wholeLines(short ? readFileSync(spool) : await later.readFile(spool))
  const header = ChunkHeader.parse({
    sallyport: 'recording/1',
    session: manifest.session,
    chunk,
    previous: manifest.chunks.at(-1)?.sha256 ?? noHash,
  })
  const whole = Buffer.concat([Buffer.from(`${JSON.stringify(header)}\n`), lines])
  const options = { params: fast, pledgedSrcSize: whole.byteLength }
  const bytes = short ? zstdCompressSync(whole, options) : await later.compress(whole, options)
  const sealed: SealedChunk = { chunk, sha256: hashBytes(bytes), bytes: bytes.byteLength, events: countLines(lines) }
  const before = manifest.chunks.reduce((sum, each) => sum + each.events, 0)
  const added = manifest.connection.kind === 'rdp' ? keyframesOf(lines, before) : []
  const keyframes = [...(manifest.keyframes ?? []), ...added]
  const next = {
    ...manifest,
    ...ended,
    chunks: [...manifest.chunks, sealed],
    ...(keyframes.length === 0 ? {} : { keyframes }),
  }
  const written = manifestBytes(next)
  await writeDurably([
    { path: join(folder, chunkName(chunk)), bytes },
    { path: join(folder, manifestName), bytes: written },
  ])
  if (short) unlinkSync(spool)
  else await later.unlink(spool)
  return { manifest: next, hash: hashBytes(written) }
}

/** Writes the manifest so that a reader sees the old or the new one, never a part. Resolves with the hash of its bytes. */
export async function writeManifest(folder: string, manifest: RecordingManifest): Promise<string> {
  const bytes = manifestBytes(manifest)
  await writeDurably([{ path: join(folder, manifestName), bytes }])
  return hashBytes(bytes)
}

export function manifestBytes(manifest: RecordingManifest): Buffer {
  return Buffer.from(`${JSON.stringify(manifest, null, 1)}\n`)
}

/** Files that are on the disk before the first of them has its name; they get their names in this order. */
async function writeDurably(files: readonly { path: string; bytes: Uint8Array }[]): Promise<void> {
  const open: number[] = []
  try {
    for (const { path, bytes } of files) {
      const fd = openSync(temporary(path), 'w', 0o600)
      open.push(fd)
      if (bytes.byteLength < small) writeFileSync(fd, bytes)
      else await later.writeFile(fd, bytes)
    }
    await Promise.all(open.map((fd) => later.fsync(fd)))
  } finally {
    for (const fd of open) closeSync(fd)
  }
  for (const { path } of files) renameSync(temporary(path), path)
}

function temporary(path: string): string {
  return `${path}.new`
}

/** Without a last line that a crash cut short: its request was never forwarded, because `record` had not returned. */
export function wholeLines(bytes: Buffer): Buffer {
  return bytes.subarray(0, bytes.lastIndexOf(10) + 1)
}

/** Where a desktop's keyframes are in event lines, when `before` events come before the first of them. */
export function keyframesOf(lines: Buffer, before: number): NonNullable<RecordingManifest['keyframes']> {
  const found: NonNullable<RecordingManifest['keyframes']> = []
  let after = before
  let counted = 0
  for (let at = lines.indexOf(frame); at !== -1; at = lines.indexOf(frame, at + 1)) {
    // Elsewhere than at the front of a line, it would be within a string, where its quotes would be escaped.
    after += countLines(lines.subarray(counted, at))
    counted = at
    // A frame's time and kind stand before its pictures, which need not be parsed for this.
    const match = /^\{"type":"frame","at":([\d.e+-]+),"key":true,/.exec(lines.toString('latin1', at, at + 80))
    if (match !== null) found.push({ at: Number(match[1]), after })
  }
  return found
}

const frame = '{"type":"frame",'

export function countLines(bytes: Uint8Array): number {
  let count = 0
  for (let i = bytes.indexOf(10); i !== -1; i = bytes.indexOf(10, i + 1)) count++
  return count
}
