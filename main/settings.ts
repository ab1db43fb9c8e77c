import { join } from 'node:path'
import { z } from 'zod'
import { Settings } from '../shared/rpc/contract.ts'
import { readIfPresent, writeAtomic } from './files.ts'

/** What the client remembers between starts. `endpoints` maps a connection of a gateway (`URL NAME`) to its fixed local port. */
const Stored = z.object({
  settings: Settings.prefault({}),
  endpoints: z.record(z.string(), z.number().int().min(1).max(65535)).default({}),
  /** Which of them open by themselves; keys as in `endpoints`. */
  endpointsAtStart: z.array(z.string()).default([]),
})
type Stored = z.infer<typeof Stored>

/** What is undefined stays as it is. */
export type SettingsChange = { [Key in keyof Settings]?: Settings[Key] | undefined }

export interface SettingsStore {
  get(): Settings
  save(change: SettingsChange): Promise<Settings>
  /** The port that a connection's endpoint had last; undefined when it never had one. */
  port(gateway: string, connection: string): number | undefined
  savePort(gateway: string, connection: string, port: number): Promise<void>
  /** Of that gateway, whose endpoint has it; undefined: nobody's. */
  portOwner(gateway: string, port: number): string | undefined
  /** Every port that some connection of some gateway has. */
  ports(): ReadonlySet<number>
  atStart(gateway: string, connection: string): boolean
  saveAtStart(gateway: string, connection: string, on: boolean): Promise<void>
  /** Resolves once everything that was to be saved is on the disk, or could not be. */
  settled(): Promise<void>
}

/** Opens `settings.json` in `dataDir`. A file that can't be understood is kept aside by name, and reported to `warn`. */
export async function openSettings(dataDir: string, warn: (message: string) => void): Promise<SettingsStore> {
  const file = join(dataDir, 'settings.json')
  let stored = await load(file, warn)
  let writing: Promise<void> = Promise.resolve()
  let next: Promise<void> | undefined
  const write = (changed: Stored): Promise<void> => {
    stored = changed
    // One write at a time, with what is newest when its turn comes: it is everybody's who came before. A failed one is theirs to hear of.
    next ??= writing
      .catch(() => {})
      .then(() => {
        next = undefined
        return writeAtomic(file, `${JSON.stringify(stored, null, 2)}\n`)
      })
    writing = next
    return next
  }
  return {
    get: () => stored.settings,
    async save(change) {
      const given = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined))
      await write({ ...stored, settings: { ...stored.settings, ...given } })
      return stored.settings
    },
    port: (gateway, connection) => stored.endpoints[`${gateway} ${connection}`],
    async savePort(gateway, connection, port) {
      if (stored.endpoints[`${gateway} ${connection}`] === port) return
      await write({ ...stored, endpoints: { ...stored.endpoints, [`${gateway} ${connection}`]: port } })
    },
    portOwner: (gateway, port) =>
      Object.entries(stored.endpoints)
        .find(([key, value]) => value === port && key.startsWith(`${gateway} `))?.[0]
        .slice(gateway.length + 1),
    settled: () => writing.catch(() => {}),
    ports: () => new Set(Object.values(stored.endpoints)),
    atStart: (gateway, connection) => stored.endpointsAtStart.includes(`${gateway} ${connection}`),
    async saveAtStart(gateway, connection, on) {
      const key = `${gateway} ${connection}`
      const others = stored.endpointsAtStart.filter((k) => k !== key)
      await write({ ...stored, endpointsAtStart: on ? [...others, key] : others })
    },
  }
}

async function load(file: string, warn: (message: string) => void): Promise<Stored> {
  const text = await readIfPresent(file)
  if (text === undefined) return Stored.parse({})
  const parsed = parse(text)
  if (parsed !== undefined) return parsed
  const aside = `${file}.unreadable`
  await writeAtomic(aside, text)
  warn(`settings.json can't be understood; it is kept as ${aside} and the settings start afresh`)
  return Stored.parse({})
}

function parse(text: string): Stored | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  const result = Stored.safeParse(value)
  return result.success ? result.data : undefined
}
