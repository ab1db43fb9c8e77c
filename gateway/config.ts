import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { type Document, isMap, isNode, isPair, isScalar, isSeq, LineCounter, parseDocument } from 'yaml'
import type { z } from 'zod'
import { GatewayConfig } from './config-schema.ts'

export { GatewayConfig, type GatewayConfigInput } from './config-schema.ts'

/** One thing wrong with a configuration file: where, and what to do about it. */
export interface ConfigProblem {
  file: string
  /** 1-based. */
  line: number
  reason: string
}

/** The configuration can't be used; nothing was started. The message lists every problem as `file:line: reason`. */
export class ConfigError extends Error {
  readonly problems: readonly ConfigProblem[]
  constructor(problems: readonly ConfigProblem[]) {
    super(problems.map(({ file, line, reason }) => `${file}:${line}: ${reason}`).join('\n'))
    this.name = 'ConfigError'
    this.problems = problems
  }
}

/** Values that may stand in the file themselves, or as `<key>File` (a path) or `<key>Env` (a variable's name). */
const indirect = [
  'clientSecret',
  'privateKey',
  'password',
  'url',
  'cert',
  'key',
  'ca',
  'token',
  'signingSecret',
  'secret',
]
/** What to write where a value is missing that people would not know how to come by. */
const hints: Readonly<Record<string, string>> = {
  hostKeys: 'List the fingerprints (SHA256:…) that this prints: ssh-keyscan HOST | ssh-keygen -lf -',
  tls: 'Say { mode: verify-full, caFile: FILE }',
}
/** Values that are paths, relative to the configuration file. */
const paths = ['dataDir', 'policyDir']

type Path = readonly PropertyKey[]

/**
 * Reads a gateway's configuration: YAML, secrets resolved, paths absolute.
 * @throws {ConfigError} with file, line and reason for everything that is wrong
 */
export async function readConfig(file: string, env: NodeJS.ProcessEnv = process.env): Promise<GatewayConfig> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    throw new ConfigError([{ file, line: 1, reason: `can't be read: ${reasonOf(error)}` }])
  }
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true })
  const at = (offset: number) => Math.max(1, lines.linePos(offset).line)
  if (document.errors.length > 0) {
    throw new ConfigError(
      document.errors.map((error) => ({ file, line: at(error.pos[0]), reason: `not valid YAML: ${error.message}` })),
    )
  }
  const problems: ConfigProblem[] = []
  const lineOf = (path: Path) => at(offsetOf(document, path))
  const resolved = await resolveValues(document.toJS() as unknown, [], {
    base: dirname(resolve(file)),
    env,
    problem: (path, reason) => problems.push({ file, line: lineOf(path), reason: `${path.join('.')}: ${reason}` }),
  })
  const result = GatewayConfig.safeParse(resolved)
  if (!result.success) {
    for (const issue of result.error.issues) {
      const unknownKeys = issue.code === 'unrecognized_keys' ? issue.keys : []
      for (const key of unknownKeys) {
        const path = [...issue.path, key]
        problems.push({ file, line: lineOf(path), reason: `${path.join('.')}: there is no such setting` })
      }
      // A secret that could not be resolved has been reported where it is written.
      const reported = problems.some((p) => p.reason.startsWith(`${issue.path.join('.')}`) && issue.path.length > 0)
      if (unknownKeys.length === 0 && !reported) {
        problems.push({
          file,
          line: lineOf(issue.path),
          reason: `${issue.path.join('.') || 'the file'}: ${wordsOf(issue, resolved)}`,
        })
      }
    }
  }
  if (!result.success || problems.length > 0) throw new ConfigError(problems)
  return result.data
}

/** What zod says, but where the value is not there at all: then, that it is missing, and how else it may be given. */
function wordsOf(issue: z.core.$ZodIssue, config: unknown): string {
  let value = config
  for (const key of issue.path)
    value = typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined
  if (value !== undefined || issue.code === 'custom') return issue.message
  const key = String(issue.path.at(-1) ?? '')
  if (indirect.includes(key)) return `is missing. Give ${key}, ${key}File or ${key}Env`
  return `is missing${hints[key] === undefined ? '' : `. ${hints[key]}`}`
}

interface Resolving {
  base: string
  env: NodeJS.ProcessEnv
  problem(path: Path, reason: string): void
}

async function resolveValues(value: unknown, path: Path, context: Resolving): Promise<unknown> {
  if (Array.isArray(value)) {
    return Promise.all(value.map((item: unknown, index) => resolveValues(item, [...path, index], context)))
  }
  if (typeof value !== 'object' || value === null) return value
  const out: Record<string, unknown> = {}
  for (const [key, item] of Object.entries(value)) {
    const here = [...path, key]
    const source = sourceOf(key)
    if (paths.includes(key) && path.length === 0 && typeof item === 'string') {
      out[key] = resolve(context.base, item)
    } else if (source === undefined || typeof item !== 'string') {
      out[key] = await resolveValues(item, here, context)
    } else if (Object.hasOwn(value, source.name)) {
      context.problem(here, `${source.name} is given as well. Keep one of them`)
    } else {
      const found = await (source.from === 'env' ? fromEnv(item, here, context) : fromFile(item, here, context))
      if (found !== undefined) out[source.name] = found
    }
  }
  return out
}

function sourceOf(key: string): { name: string; from: 'file' | 'env' } | undefined {
  for (const name of indirect) {
    if (key === `${name}File`) return { name, from: 'file' }
    if (key === `${name}Env`) return { name, from: 'env' }
  }
  return undefined
}

async function fromEnv(variable: string, path: Path, { env, problem }: Resolving): Promise<string | undefined> {
  const value = env[variable]
  if (value !== undefined && value !== '') return value
  problem(path, `the environment variable ${variable} is not set`)
  return undefined
}

async function fromFile(file: string, path: Path, { base, problem }: Resolving): Promise<string | undefined> {
  try {
    const text = await readFile(resolve(base, file), 'utf8')
    // A key keeps its last newline (OpenSSH insists on it); in a password it came with the editor.
    return text.startsWith('-----BEGIN') ? text : text.replace(/\r?\n$/, '')
  } catch (error) {
    problem(path, `${file} can't be read: ${reasonOf(error)}`)
    return undefined
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** Where the value at `path` is written; for a value that is missing, where the nearest thing around it is. */
function offsetOf(document: Document, path: Path): number {
  let node: unknown = document.contents
  let offset = 0
  for (const key of path) {
    if (isMap(node)) {
      const pair = node.items.find((item) => isPair(item) && isScalar(item.key) && item.key.value === key)
      if (pair === undefined) break
      if (isNode(pair.key) && pair.key.range) offset = pair.key.range[0]
      node = pair.value
    } else if (isSeq(node) && typeof key === 'number') {
      node = node.items[key]
      if (isNode(node) && node.range) offset = node.range[0]
    } else break
  }
  return offset
}
