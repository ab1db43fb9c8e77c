import { copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { RecordingEvent } from '../../shared/recording.ts'
import { Recordings } from './recordings.ts'
import { hashBytes } from './seal.ts'
import type { RecordingSeal } from './writer.ts'

const quiet = { info() {}, warn() {}, error() {} }
const startedAt = new Date('2026-07-09T10:00:00Z')
const place = { session: 'ses_test0001', startedAt }
const ended = { ...place, live: false }
const subject = {
  ...place,
  principal: { kind: 'user' as const, id: 'ada', name: 'Ada', groups: ['engineers'] },
  connection: { name: 'orders-db', kind: 'postgres' as const, environment: 'production' as const, tags: [] },
}

let dataDir: string
let open: Recordings[]

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'sallyport-recordings-'))
  open = []
})
afterEach(async () => {
  for (const recordings of open) recordings.close()
  await rm(dataDir, { recursive: true, maxRetries: 5 })
})

function make(options: { chunkBytes?: number; freeBytes?: number } = {}): Recordings {
  const recordings = new Recordings({
    dataDir,
    log: quiet,
    limits: { chunkBytes: options.chunkBytes ?? 2_000 },
    ...(options.freeBytes === undefined ? {} : { freeBytes: options.freeBytes }),
  })
  open.push(recordings)
  return recordings
}

function statement(n: number): RecordingEvent {
  return { type: 'request', at: n, n, action: 'sql:select', text: `select 'é' || ${n}`, outcome: 'allowed' }
}
function answer(n: number): RecordingEvent {
  return { type: 'complete', at: n + 0.5, n, ok: true, rows: 1 }
}

const folder = () => join(dataDir, 'recordings/2026/07', place.session)
const spools = async () => (await readdir(folder())).filter((file) => file.endsWith('.spool'))

async function recorded(count: number, options: { chunkBytes?: number } = {}) {
  const recordings = make(options)
  const writer = recordings.start(subject)
  for (let n = 1; n <= count; n++) {
    writer.record(statement(n))
    writer.record(answer(n))
  }
  const seal = await recordings.finish(place.session, new Date())
  return { recordings, seal }
}

describe('writing', () => {
  test('a request is on disk when record returns', async () => {
    const writer = make().start(subject)
    writer.record(answer(0))
    expect(await spools()).toEqual([])
    writer.record(statement(1))
    const [spool] = await spools()
    expect(await readFile(join(folder(), spool ?? ''), 'utf8')).toBe(
      `${JSON.stringify(answer(0))}\n${JSON.stringify(statement(1))}\n`,
    )
  })

  test('every event comes back in order, over chunks and pages', async () => {
    const { recordings, seal } = await recorded(100)
    expect(seal.chunks).toBeGreaterThan(3)
    expect(seal.events).toBe(200)
    const events: RecordingEvent[] = []
    let after: number | undefined = 0
    while (after !== undefined) {
      const page = await recordings.read(ended, after, 7)
      expect(page?.live).toBe(false)
      events.push(...(page?.events ?? []))
      after = page?.next
    }
    expect(events).toEqual(Array.from({ length: 100 }, (_, i) => [statement(i + 1), answer(i + 1)]).flat())
    expect(await spools()).toEqual([])
  })

  test('a live recording can be read up to the last event', async () => {
    const recordings = make()
    const writer = recordings.start(subject)
    for (let n = 1; n <= 40; n++) {
      writer.record(statement(n))
      writer.record(answer(n))
    }
    const page = await recordings.read({ ...place, live: true }, 75, 100)
    expect(page).toMatchObject({
      live: true,
      events: [answer(38), statement(39), answer(39), statement(40), answer(40)],
    })
    expect(page?.next).toBeUndefined()
  })

  test('an unknown recording is none, and an id that is no id goes nowhere near the disk', async () => {
    const recordings = make()
    expect(await recordings.read({ ...ended, session: 'ses_other000' }, 0, 10)).toBeUndefined()
    await expect(recordings.read({ ...ended, session: '../../../etc' }, 0, 10)).rejects.toThrow('not the id')
  })

  test('no space: nothing is recorded, and it says why', () => {
    expect(() => make({ freeBytes: Number.MAX_SAFE_INTEGER }).start(subject)).toThrow(/nearly full.*Nothing ran/)
  })

  test('a folder that is gone: record throws', async () => {
    const writer = make().start(subject)
    await rm(folder(), { recursive: true })
    expect(() => writer.record(statement(1))).toThrow()
  })

  test('chunks that can’t be sealed stop the recording until they can', async () => {
    const recordings = make({ chunkBytes: 10 })
    const writer = recordings.start(subject)
    const blocker = join(folder(), '000001.jsonl.zst.new')
    await mkdir(blocker)
    writer.record(statement(1))
    await expect.poll(() => thrown(() => writer.record(statement(2)))).toMatch(/can't be written/)
    await rm(blocker, { recursive: true })
    await expect.poll(() => thrown(() => writer.record(statement(3)))).toBeUndefined()
    const seal = await recordings.finish(place.session, new Date())
    const page = await recordings.read(ended, 0, 100)
    expect(page?.events.length).toBe(seal.events)
    expect(page?.events.at(-1)).toEqual(statement(3))
  })
})

function thrown(act: () => void): string | undefined {
  try {
    act()
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

describe('after a crash', () => {
  test('spools are sealed, a torn last line is left out, and the end is told', async () => {
    const writer = make({ chunkBytes: 1_000_000 }).start(subject)
    writer.record(statement(1))
    writer.record(statement(2))
    const [spool] = await spools()
    await writeFile(join(folder(), spool ?? ''), '{"type":"req', { flag: 'a' })

    const next = make()
    const recovered = await next.recover()
    expect(recovered).toMatchObject([
      { session: place.session, seal: { chunks: 1, events: 3 }, counts: { allowed: 2, masked: 0 } },
    ])
    const page = await next.read(ended, 0, 10)
    expect(page?.events).toEqual([statement(1), statement(2), { type: 'end', at: 2, reason: 'The gateway stopped.' }])
    expect(page?.manifest.endedAt).toBeDefined()
    expect(await next.verify(place, recovered[0]?.seal)).toMatchObject({ ok: true, checked: 1 })
    // Until what became of it is stored.
    expect(await make().recover()).toEqual(recovered)
    next.settled(place.session)
    expect(await make().recover()).toEqual([])
  })

  test('one whose marker holds its path, as on a disk without links, is found as well', async () => {
    make().start(subject).record(statement(1))
    const marker = join(dataDir, 'recordings', '.live', place.session)
    await rm(marker)
    await writeFile(marker, join('2026', '07', place.session))
    expect(await make().recover()).toMatchObject([{ session: place.session, counts: { allowed: 1 } }])
  })

  test('a recording that was closed is told of by the next start until its end is stored', async () => {
    const { recordings, seal } = await recorded(2)
    expect(await make().recover()).toMatchObject([{ session: place.session, seal, counts: { allowed: 2 } }])
    recordings.settled(place.session)
    expect(await make().recover()).toEqual([])
  })
})

describe('verify', () => {
  const chunk = (n: number) => join(folder(), `${String(n).padStart(6, '0')}.jsonl.zst`)
  async function verified(tamper: (manifest: string) => Promise<void>) {
    const { recordings, seal } = await recorded(100)
    expect(await recordings.verify(place, seal)).toMatchObject({
      ok: true,
      checked: seal.chunks,
      lastHash: seal.sha256,
    })
    await tamper(join(folder(), 'manifest.json'))
    return recordings.verify(place, seal)
  }
  async function editManifest(file: string, edit: (chunks: { chunk: number; sha256: string }[]) => void) {
    const manifest = JSON.parse(await readFile(file, 'utf8'))
    edit(manifest.chunks)
    await writeFile(file, JSON.stringify(manifest, null, 1))
  }

  test('any byte changed in any chunk is named', async () => {
    const { recordings, seal } = await recorded(30)
    for (let n = 1; n <= seal.chunks; n++) {
      const whole = await readFile(chunk(n))
      for (const at of [0, whole.length >> 1, whole.length - 1]) {
        const bytes = Buffer.from(whole)
        bytes[at] = (bytes[at] ?? 0) ^ 1
        await writeFile(chunk(n), bytes)
        const result = await recordings.verify(place, seal)
        expect(result?.ok).toBe(false)
        expect(result?.problems[0]).toMatch(new RegExp(`^00000${n}\\.jsonl\\.zst: changed`))
      }
      await writeFile(chunk(n), whole)
    }
    expect(await recordings.verify(place, seal)).toMatchObject({ ok: true })
  })

  test('a chunk dropped is named', async () => {
    expect(await verified(() => rm(chunk(2)))).toMatchObject({ ok: false, problems: ['000002.jsonl.zst: missing'] })
  })

  test('chunks that changed places are named', async () => {
    const result = await verified(async () => {
      await copyFile(chunk(2), chunk(99))
      await rename(chunk(3), chunk(2))
      await rename(chunk(99), chunk(3))
    })
    expect(result?.problems).toEqual([
      '000002.jsonl.zst: out of order, it holds chunk 3',
      '000003.jsonl.zst: out of order, it holds chunk 2',
    ])
  })

  test('the last chunk dropped from folder and manifest is found by the audit log', async () => {
    const result = await verified(async (manifest) => {
      await editManifest(manifest, (chunks) => {
        chunks.pop()
      })
    })
    expect(result?.ok).toBe(false)
    expect(result?.problems.join()).toMatch(/missing, the audit log counts/)
  })

  test('a chunk rewritten together with its manifest is found by the chain', async () => {
    const result = await verified(async (manifest) => {
      const text = zstdDecompressSync(await readFile(chunk(2))).toString()
      const forged = zstdCompressSync(Buffer.from(text.replaceAll('select', 'SELECT')))
      await writeFile(chunk(2), forged)
      await editManifest(manifest, (chunks) => {
        for (const entry of chunks) if (entry.chunk === 2) Object.assign(entry, { sha256: hashBytes(forged) })
      })
    })
    expect(result?.problems[0]).toBe('manifest.json: changed, its hash is not the one in the audit log')
    expect(result?.problems[1]).toMatch(/^000003\.jsonl\.zst: does not follow/)
  })

  test('without its seal, a whole recording forged from the first chunk on would pass: the audit log finds it', async () => {
    const { recordings, seal } = await recorded(5)
    const forged: RecordingSeal = { ...seal, sha256: 'f'.repeat(64) }
    expect((await recordings.verify(place, forged))?.problems).toEqual([
      '000001.jsonl.zst: changed, its hash is not the one in the audit log',
    ])
  })
})
