import { mkdir } from 'node:fs/promises'
import { homedir, release } from 'node:os'
import { join } from 'node:path'
import type {
  AuthState,
  Diagnostics,
  Endpoint,
  LinkState,
  Platform,
  Problem,
  Settings,
  UpdateState,
} from '../shared/rpc/contract.ts'
import { writeAtomic } from './files.ts'
import type { Log } from './log.ts'
import { codeOf, messageOf } from './problem.ts'

interface Entry {
  at: string
  level: 'info' | 'warn' | 'error'
  message: string
  error?: string
}

const keptEntries = 400

/** A log that also remembers its last entries: their words, and of what they are about nothing but an error's own words. */
export function recentLog(log: Log): { log: Log; entries(): readonly Entry[] } {
  const kept: Entry[] = []
  const keep = (level: Entry['level'], about: object, message: string): void => {
    const error = 'err' in about ? `${codeOf(about.err) ?? ''} ${messageOf(about.err)}`.trim() : undefined
    kept.push({ at: new Date().toISOString(), level, message, ...(error === undefined ? {} : { error }) })
    if (kept.length > keptEntries) kept.shift()
  }
  const at =
    (level: Entry['level']) =>
    (about: object, message: string): void => {
      keep(level, about, message)
      log[level](about, message)
    }
  return { log: { info: at('info'), warn: at('warn'), error: at('error') }, entries: () => kept }
}

export interface DiagnosticFacts {
  platform: Platform
  settings: Settings
  auth: AuthState
  link: LinkState
  update: UpdateState
  endpoints: readonly Endpoint[]
  /** Of the gateway that was signed in to last. */
  gatewayVersion: string | undefined
  startedAt: string
  log: readonly Entry[]
}

/** Parts of the contract whose problems never quote a statement, a value or what a person wrote. */
const wordsKept: ReadonlySet<string> = new Set(['endpoints', 'auth', 'terminal', 'desktop'])

/** For the log: what was asked for and not had, and which kind of problem it was; in its own words where those tell no data. */
export function failureWords(path: readonly string[], { code, message }: Problem): string {
  const words = wordsKept.has(path[0] ?? '') ? `: ${message}` : ''
  return `${path.join('.')} failed (${code})${words}`
}

/**
 * What support needs to know. Each fact is named here: drafts, statements, results, names of pinned connections and the sign-in's
 * own address are not among them. Words that others wrote (log, problems) pass through `withoutSecrets`.
 */
export function diagnosticBundle(facts: DiagnosticFacts, now = new Date()): Diagnostics {
  const { platform, settings, auth, link, update, endpoints, gatewayVersion, startedAt, log } = facts
  const bundle = {
    madeAt: now.toISOString(),
    startedAt,
    timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    client: { ...platform, node: process.versions.node, system: release(), architecture: process.arch },
    signIn:
      auth.state === 'signed-out' && auth.problem !== undefined
        ? { state: auth.state, problem: auth.problem.code, message: withoutSecrets(auth.problem.message) }
        : { state: auth.state },
    gatewayLink: link,
    gatewayVersion: gatewayVersion ?? 'not signed in since the start',
    update:
      update.state === 'failed' ? { state: update.state, message: withoutSecrets(update.problem.message) } : update,
    settings: {
      theme: settings.theme,
      contrast: settings.contrast,
      motion: settings.motion,
      zoom: settings.zoom,
      codeSize: settings.codeSize,
      updates: settings.updates,
      changedKeys: settings.keys,
    },
    endpoints: endpoints.map(({ connection, kind, port, open, clients, atStart, problem }) => ({
      connection,
      kind,
      port,
      open,
      clients,
      atStart,
      ...(problem === undefined ? {} : { problem: withoutSecrets(problem.message) }),
    })),
    log: log.map((entry) => ({
      ...entry,
      message: withoutSecrets(entry.message),
      ...(entry.error === undefined ? {} : { error: withoutSecrets(entry.error) }),
    })),
  }
  return {
    name: `sallyport-diagnostics-${now.toISOString().slice(0, 19).replaceAll(':', '')}.json`,
    text: `${JSON.stringify(bundle, null, 2)}\n`,
  }
}

const removed = '[removed]'

/** Takes out what looks like a secret: whatever follows a telling name, credentials and queries of addresses, long random words. */
export function withoutSecrets(text: string): string {
  return text
    .replaceAll(/-----BEGIN [^-]+-----[\s\S]*?(?:-----END [^-]+-----|$)/g, removed)
    .replaceAll(/\b([a-z][a-z0-9+.-]*:\/\/)[^\s/@]*@/gi, `$1${removed}@`)
    .replaceAll(/\b([a-z][a-z0-9+.-]*:\/\/[^\s?#"']+)[?#][^\s"']*/gi, `$1?${removed}`)
    .replaceAll(/\b(bearer|dpop|basic)\s+\S+/gi, `$1 ${removed}`)
    .replaceAll(
      /(["']?[\w-]*(?:token|secret|password|passwd|ticket|cookie|authorization|code|key)["']?\s*[=:]\s*)("[^"]*"|'[^']*'|[^\s,;]+)/gi,
      `$1${removed}`,
    )
    .replaceAll(/\b[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\b/g, removed)
    .replaceAll(/[A-Za-z0-9_+/=-]{32,}/g, removed)
}

/** Writes it for its owner only, into `dir` or the downloads folder; resolves to the path. */
export async function saveBundle({ name, text }: Diagnostics, dir = join(homedir(), 'Downloads')): Promise<string> {
  await mkdir(dir, { recursive: true })
  const path = join(dir, name)
  await writeAtomic(path, text)
  return path
}
