import { createHash } from 'node:crypto'
import { open, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { constants, zstdCompress } from 'node:zlib'
import { ChunkHeader, type RecordingManifest } from '../../shared/recording.ts'
import { chunkName, manifestName, noHash, spoolName } from './layout.ts'

const compress = promisify(zstdCompress)
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
  const lines = wholeLines(await readFile(spool))
  const header = ChunkHeader.parse({
    sallyport: 'recording/1',
    session: manifest.session,
    chunk,
    previous: manifest.chunks.at(-1)?.sha256 ?? noHash,
  })
  const bytes = await compress(Buffer.concat([Buffer.from(`${JSON.stringify(header)}\n`), lines]), { params: fast })
  await writeDurably(join(folder, chunkName(chunk)), bytes)
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
  const hash = await writeManifest(folder, next)
  await rm(spool)
  return { manifest: next, hash }
}

/** Writes the manifest so that a reader sees the old or the new one, never a part. Resolves with the hash of its bytes. */
export async function writeManifest(folder: string, manifest: RecordingManifest): Promise<string> {
  const bytes = Buffer.from(`${JSON.stringify(manifest, null, 1)}\n`)
  await writeDurably(join(folder, manifestName), bytes)
  return hashBytes(bytes)
}

async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${path}.new`
  const file = await open(temporary, 'w', 0o600)
  try {
    await file.writeFile(bytes)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(temporary, path)
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
