import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Verification } from '../../shared/api/models.ts'
import { RecordingManifest } from '../../shared/recording.ts'
import { chunkName, chunkNumber, manifestName, noHash } from './layout.ts'
import { isMissing, unpack } from './reader.ts'
import { countLines, hashBytes } from './seal.ts'
import type { RecordingSeal } from './writer.ts'

/** Whose session it was, and where, as the store has it. */
export interface Told {
  principal: string
  connection: string
}

/**
 * Recomputes every hash of a recording and compares it with the manifest, with the chunk after it, and with what the
 * audit log kept when the session ended (`expected`; undefined while the session is live). What the store says of the session is
 * under no hash, so it is compared with the manifest, which is.
 * Each problem names the chunk and what is wrong with it. `checked` counts chunks.
 */
export async function verifyRecording(
  folder: string,
  session: string,
  expected: RecordingSeal | undefined,
  told?: Told,
): Promise<Verification> {
  const problems: string[] = []
  const manifestBytes = await readFile(join(folder, manifestName))
  const manifest = parseManifest(manifestBytes)
  if (manifest === undefined) return { ok: false, checked: 0, problems: ['manifest.json: changed, it does not parse'] }
  if (expected !== undefined && hashBytes(manifestBytes) !== expected.manifest) {
    problems.push('manifest.json: changed, its hash is not the one in the audit log')
  }
  if (manifest.session !== session) problems.push(`manifest.json: belongs to session ${manifest.session}`)

  const { principal, connection } = manifest
  if (told !== undefined && (told.principal !== principal.id || told.connection !== connection.name)) {
    const made = `${principal.id} on ${connection.name}`
    problems.push(
      `the store says that it was ${told.principal} on ${told.connection}, the recording that it was ${made}`,
    )
  }

  let previous = noHash
  let checked = 0
  for (const [index, chunk] of manifest.chunks.entries()) {
    if (chunk.chunk !== index + 1) {
      problems.push(`manifest.json: chunk ${index + 1} is missing or out of order, chunk ${chunk.chunk} stands there`)
    }
    const problem = await checkChunk(folder, session, chunk, previous)
    if (problem !== undefined) problems.push(`${chunkName(chunk.chunk)}: ${problem}`)
    previous = chunk.sha256
    checked++
  }
  if (expected !== undefined && manifest.chunks.length < expected.chunks) {
    problems.push(`${chunkName(manifest.chunks.length + 1)}: missing, the audit log counts ${expected.chunks} chunks`)
  } else if (expected !== undefined && previous !== expected.sha256 && problems.length === 0) {
    problems.push(`${chunkName(manifest.chunks.length)}: changed, its hash is not the one in the audit log`)
  }
  // Of a live session, one more chunk may have been sealed since the manifest was read.
  for (const file of expected === undefined ? [] : await readdir(folder)) {
    const chunk = chunkNumber(file)?.chunk
    if (chunk !== undefined && !manifest.chunks.some((known) => known.chunk === chunk)) {
      problems.push(`${file}: added, the manifest does not name it`)
    }
  }
  const first = manifest.chunks[0]
  return {
    ok: problems.length === 0,
    checked,
    problems,
    ...(first === undefined ? {} : { firstHash: first.sha256, lastHash: previous }),
  }
}

async function checkChunk(
  folder: string,
  session: string,
  chunk: RecordingManifest['chunks'][number],
  previous: string,
): Promise<string | undefined> {
  let bytes: Buffer
  try {
    bytes = await readFile(join(folder, chunkName(chunk.chunk)))
  } catch (error) {
    if (isMissing(error)) return 'missing'
    throw error
  }
  const hash = hashBytes(bytes)
  const header = await headerOf(bytes)
  if (header !== undefined && header.header.session === session && header.header.chunk !== chunk.chunk) {
    return `out of order, it holds chunk ${header.header.chunk}`
  }
  if (hash !== chunk.sha256) return 'changed, its hash is not the one in the manifest'
  if (header === undefined) return 'changed, it does not unpack'
  if (header.header.session !== session) return `belongs to session ${header.header.session}`
  if (header.header.previous !== previous) {
    return 'does not follow the chunk before it: one was changed, dropped or reordered'
  }
  if (countLines(header.lines) !== chunk.events) {
    return `holds ${countLines(header.lines)} events, the manifest says ${chunk.events}`
  }
  return undefined
}

/** Undefined when the bytes are no chunk at all, which the hash has told already or will tell. */
async function headerOf(bytes: Buffer): Promise<Awaited<ReturnType<typeof unpack>> | undefined> {
  const [outcome] = await Promise.allSettled([unpack(bytes)])
  return outcome.status === 'fulfilled' ? outcome.value : undefined
}

function parseManifest(bytes: Buffer): RecordingManifest | undefined {
  try {
    const result = RecordingManifest.safeParse(JSON.parse(bytes.toString('utf8')))
    return result.success ? result.data : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
